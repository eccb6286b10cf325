"""Reading query strings: each parameter at most once, and none that is unknown."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from fraud.errors import InvalidInput
from fraud.payment.limits import MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS
from serve_app.http.reading.fault import MAX_FAULTS, Fault, Refused, fault
from serve_app.http.reading.fields import Period, read_moment

_ANY_TIME = Period(MIN_TIMESTAMP_MS, MAX_TIMESTAMP_MS - 1)
_LOST_PLUS = re.compile(r" ([0-9]{2}:[0-9]{2})$")
_NAME = re.compile(r"[A-Za-z_]{1,64}")
_WHOLE = re.compile(r"[1-9][0-9]{0,9}")


@dataclass(slots=True)
class Query:
    """The parameters of a query string, and the faults that were found in them.

    Attributes:
        given: name -> value, decoded.
        faults: pointers are like `/limit`.
    """

    given: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @classmethod
    def read(cls, parameters: Iterable[tuple[str, str]], known: Collection[str]) -> Query:
        """Return the parameters, and note those that are unknown or repeated.

        Args:
            parameters: (name, value), decoded.
            known: names. Others are refused, since a mistyped one would find everything.
        """
        query = cls()
        for name, value in parameters:
            if name not in known:
                pointer = f"/{name}" if _NAME.fullmatch(name) else ""
                detail = f"Unknown parameter: expected one of {', '.join(known)}"
                query.faults.append((pointer, "unknown_parameter", detail))
            elif name in query.given:
                query.note(name, Refused("repeated", "expected at most once"))
            query.given[name] = value
        del query.faults[MAX_FAULTS:]
        return query

    def note(self, name: str, refused: Refused) -> None:
        """Note what is wrong with a parameter."""
        self.faults.append(fault(f"/{name}", name, refused))

    def whole(self, name: str, most: int) -> int | None:
        """Return a whole number from 1 to `most`; None if it is absent or wrong."""
        text = self.given.get(name)
        if text is None:
            return None
        if not _WHOLE.fullmatch(text) or int(text) > most:
            self.note(name, Refused("out_of_range", f"expected a whole number from 1 to {most}"))
            return None
        return int(text)

    def one_of(self, name: str, known: Collection[str]) -> str | None:
        """Return one of the known words; None if it is absent or wrong."""
        text = self.given.get(name)
        if text is None or text in known:
            return text
        self.note(name, Refused("unknown", f"expected one of {', '.join(known)}"))
        return None

    def moment(self, name: str) -> int | None:
        """Return a time, milliseconds since the epoch; None if it is absent or wrong."""
        if name not in self.given:
            return None
        try:
            # In a query string an unescaped plus is a space.
            return read_moment(_LOST_PLUS.sub(r"+\1", self.given[name]), _ANY_TIME)
        except Refused as refused:
            self.note(name, refused)
            return None

    def require_faultless(self) -> None:
        """Do nothing if no fault was noted.

        Raises:
            InvalidInput: with every fault.
        """
        if self.faults:
            raise refused_query(*self.faults)


def refused_query(*faults: Fault) -> InvalidInput:
    """Return the error of a query string with these faults."""
    return InvalidInput("the query cannot be read", faults)
