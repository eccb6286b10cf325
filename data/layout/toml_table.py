"""One table of a TOML document, read key by key with errors that say where."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any, overload
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Table:
    """Typed reads of a table's keys; remembers them, so that a misspelt key is not overlooked.

    Every method raises ValueError with a message that begins with `where` and the key.
    """

    def __init__(self, values: dict[str, Any], where: str) -> None:
        self.where = where
        self._values = values
        self._read: set[str] = set()

    def __contains__(self, key: str) -> bool:
        self._read.add(key)
        return key in self._values

    def refuse_unread(self) -> None:
        """Fail on keys that nobody asked for; the message has the nearest of those asked for."""
        self.refuse_other(self._read)

    def refuse_other(self, known: Iterable[str]) -> None:
        """Fail on keys but `known`; the message has the nearest of these."""
        known = sorted(known)
        other = sorted(self._values.keys() - set(known))
        if not other:
            return
        free = [key for key in known if key not in self._values]
        near = get_close_matches(other[0], free, 1, 0.5) or get_close_matches(other[0], known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
        raise ValueError(f"{self._at(other[0])}: no such key; {hint}")

    def misspelt(self, key: str) -> bool:
        """Whether `key` is absent and another key looks like it."""
        return key not in self._values and bool(get_close_matches(key, list(self._values), 1))

    def table(self, key: str, required: bool = True) -> Table:
        """The table at `key`; an empty one if it may be and is absent."""
        found = self._get(key, dict, "a table", ... if required else {})
        return Table(found, self._at(key))

    def entry(self, key: str) -> Table:
        """The table at `key`, where a plain text `x` is short for `{ column = x }`."""
        found = self._get(key, (dict, str), "a column's name or a table", ...)
        return Table({"column": found} if isinstance(found, str) else found, self._at(key))

    @overload
    def text(self, key: str) -> str: ...
    @overload
    def text(self, key: str, default: str) -> str: ...
    @overload
    def text(self, key: str, default: None) -> str | None: ...
    def text(self, key: str, default: Any = ...) -> str | None:
        """A text that is not empty."""
        found = self._get(key, str, "a text", default)
        if found == "" and key in self._values:
            raise ValueError(f"{self._at(key)}: must not be empty")
        return None if found is None else str(found)

    def flag(self, key: str, default: bool = False) -> bool:
        """true or false."""
        return bool(self._get(key, bool, "true or false", default))

    def count(self, key: str, default: int) -> int:
        """A whole number that is not negative."""
        found = int(self._get(key, int, "a whole number", default))
        if found < 0:
            raise ValueError(f"{self._at(key)}: must not be negative")
        return found

    def number(self, key: str, default: float | None) -> float:
        """A number; required if `default` is None."""
        return float(self._get(key, (int, float), "a number", ... if default is None else default))

    def one_of(self, key: str, allowed: Iterable[str]) -> str | None:
        """One of the texts `allowed`; None if absent."""
        found = self.text(key, None)
        if found is not None and found not in allowed:
            raise ValueError(f"{self._at(key)}: must be one of {', '.join(allowed)}")
        return found

    def texts(self, key: str) -> dict[str, str]:
        """A table of texts; {} if absent."""
        found = self._get(key, dict, "a table of texts", {})
        for name, value in found.items():
            if not isinstance(value, str):
                raise ValueError(f"{self._at(key)}.{name}: must be a text")
        return dict(found)

    def text_list(self, key: str) -> list[str]:
        """A list of texts."""
        found = self._get(key, list, "a list of texts", ...)
        if not all(isinstance(v, str) for v in found):
            raise ValueError(f"{self._at(key)}: must be a list of texts")
        return list(found)

    def text_set(self, key: str, default: Iterable[str]) -> frozenset[str]:
        """A list of texts or whole numbers, as texts; a truth value in each of its spellings."""
        found = self._get(key, list, "a list", list(default))
        if not found or not all(isinstance(v, str | int) for v in found):
            raise ValueError(f"{self._at(key)}: must list texts or whole numbers")
        said = {str(v) for v in found if not isinstance(v, bool)}
        for value in found:
            if isinstance(value, bool):
                said |= {str(value), str(value).lower(), str(value).upper()}
        return frozenset(said)

    def pattern(self, key: str) -> re.Pattern[str] | None:
        """A regular expression; None if absent."""
        found = self.text(key, None)
        try:
            return None if found is None else re.compile(found)
        except re.error as error:
            raise ValueError(f"{self._at(key)}: not a regular expression: {error}") from None

    def moment_ms(self, key: str, default_ms: int) -> int:
        """A date or date-time in milliseconds since 1970; without a zone it is UTC."""
        found = self._get(key, (str, date), "a date-time", None)
        if found is None:
            return default_ms
        try:
            text = found if isinstance(found, str) else found.isoformat()
            at = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{self._at(key)}: must be an ISO 8601 date-time") from None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return round((at - _EPOCH).total_seconds() * 1000)

    def zone(self, key: str, default: str) -> str:
        """Name of a time zone."""
        found = self.text(key, default)
        try:
            ZoneInfo(found)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{self._at(key)}: no such time zone") from None
        return found

    def codec(self, key: str, default: str) -> str:
        """Name of a text encoding in which a line break is one byte."""
        found = self.text(key, default)
        try:
            fits = "\n".encode(found) == b"\n"
        except (LookupError, TypeError, AttributeError):
            fits = False
        if not fits:
            raise ValueError(f"{self._at(key)}: no encoding in which a line break is one byte")
        return found

    def _at(self, key: str) -> str:
        joint = ": " if self.where.endswith(".toml") else "."
        return f"{self.where}{joint}{key}"

    def _get(self, key: str, kind: Any, wanted: str, default: Any) -> Any:
        self._read.add(key)
        if key not in self._values:
            if default is ...:
                near = get_close_matches(key, self._values.keys() - self._read, 1)
                if near:
                    raise ValueError(f"{self._at(near[0])}: no such key; did you mean {key}?")
                raise ValueError(f"{self._at(key)}: is missing")
            return default
        found = self._values[key]
        wrong_bool = isinstance(found, bool) and kind is not bool
        if wrong_bool or not isinstance(found, kind):
            raise ValueError(f"{self._at(key)}: must be {wanted}")
        return found
