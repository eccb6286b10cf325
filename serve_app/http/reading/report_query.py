"""Reading the query string of a report, or every wrong parameter in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from experiments.maturity import Unlabelled
from experiments.report import DEFAULT_DAYS
from fraud.errors import InvalidInput
from fraud.payment.limits import MAX_TIMESTAMP_MS, MIN_TIMESTAMP_MS
from serve_app.http.reading.fault import Fault, Refused, fault
from serve_app.http.reading.fields import Period, read_moment

Format = Literal["json", "csv", "html"]

MEDIA_TYPES: Final[dict[Format, str]] = {
    "json": "application/json",
    "csv": "text/csv",
    "html": "text/html",
}
MAX_DAYS: Final = 366
_MAX_WAITING_DAYS = 366
_DAY_MS = 86_400_000
_MAX_VERSION = 2**31 - 1

PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "version": {
        "type": "integer",
        "minimum": 1,
        "maximum": _MAX_VERSION,
        "description": "one version of the plan; default: all",
    },
    "from": {
        "type": "string",
        "format": "date-time",
        "description": f"decisions made at or after this time; default: {DEFAULT_DAYS} days before "
        f"`to`, at most {MAX_DAYS}. The intervals hold at every look that begins at the same time",
    },
    "to": {
        "type": "string",
        "format": "date-time",
        "description": "decisions made, and labels known, before this time; default: now",
    },
    "waiting_days": {
        "type": "number",
        "minimum": 0,
        "maximum": _MAX_WAITING_DAYS,
        "description": "age from which a payment counts; default: the time within which nine of "
        "ten frauds were known",
    },
    "unlabelled": {
        "type": "string",
        "enum": ["excluded", "genuine"],
        "default": "excluded",
        "description": "what older payments without a label count as: `genuine` if you report "
        "frauds only",
    },
    "format": {
        "type": "string",
        "enum": [*MEDIA_TYPES],
        "description": "default: by the `Accept` header, else json",
    },
}
"""Parameter -> its JSON Schema, for the OpenAPI document."""

_ANY_TIME = Period(MIN_TIMESTAMP_MS, MAX_TIMESTAMP_MS - 1)
_LOST_PLUS = re.compile(r" ([0-9]{2}:[0-9]{2})$")
_WHOLE = re.compile(r"[1-9][0-9]{0,9}")
_DECIMAL = re.compile(r"[0-9]{1,20}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """What a report is asked for.

    Attributes:
        from_ms, to_ms: when decisions were made, milliseconds since the epoch, end exclusive.
        version: of the plan; None: all.
        waiting_days: age from which payments count; None: measured.
        unlabelled: what payments without a label count as.
        format: of the answer.
    """

    from_ms: int
    to_ms: int
    version: int | None
    waiting_days: float | None
    unlabelled: Unlabelled
    format: Format


def read_report_query(
    parameters: Iterable[tuple[str, str]], accept: str, now_ms: int
) -> ReportQuery:
    """Return what a query string asks for.

    Args:
        parameters: (name, value), decoded.
        accept: the Accept header, "" without one.
        now_ms: milliseconds since the epoch.

    Raises:
        InvalidInput: with each wrong parameter, its pointer like `/version`.
    """
    faults: list[Fault] = []
    given = _once_each(parameters, faults)
    version = _version(given, faults)
    waiting_days = _waiting_days(given, faults)
    unlabelled = _one_of("unlabelled", given, faults) or "excluded"
    format_ = _one_of("format", given, faults) or _accepted(accept)
    times = [_time(name, given, faults) for name in ("from", "to")]
    if faults:
        raise _refused(*faults)
    to_ms = now_ms if times[1] is None else times[1]
    from_ms = max(to_ms - DEFAULT_DAYS * _DAY_MS, 0) if times[0] is None else times[0]
    if from_ms >= to_ms:
        refused = Refused("not_before_to", "expected a time before `to`")
        raise _refused(fault("/from", "from", refused))
    if to_ms - from_ms > MAX_DAYS * _DAY_MS:
        refused = Refused("span_too_long", f"expected at most {MAX_DAYS} days before `to`")
        raise _refused(fault("/from", "from", refused))
    return ReportQuery(from_ms, to_ms, version, waiting_days, unlabelled, format_)  # type: ignore[arg-type]


def too_long() -> InvalidInput:
    """Return the problem of a report that takes too long."""
    refused = Refused(
        "span_too_long", "expected a time nearer to `to`: there are too many decisions"
    )
    return _refused(fault("/from", "from", refused))


def _once_each(parameters: Iterable[tuple[str, str]], faults: list[Fault]) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in parameters:
        if name not in PARAMETERS:
            pointer = f"/{name}" if re.fullmatch(r"[A-Za-z_]{1,64}", name) else ""
            detail = f"Unknown parameter: expected one of {', '.join(PARAMETERS)}"
            faults.append((pointer, "unknown_parameter", detail))
        elif name in given:
            faults.append(fault(f"/{name}", name, Refused("repeated", "expected at most once")))
        given[name] = value
    del faults[len(PARAMETERS) :]
    return given


def _version(given: dict[str, str], faults: list[Fault]) -> int | None:
    text = given.get("version")
    if text is None:
        return None
    if not _WHOLE.fullmatch(text) or int(text) > _MAX_VERSION:
        refused = Refused("out_of_range", f"expected a whole number from 1 to {_MAX_VERSION}")
        faults.append(fault("/version", "version", refused))
        return None
    return int(text)


def _waiting_days(given: dict[str, str], faults: list[Fault]) -> float | None:
    text = given.get("waiting_days")
    if text is None:
        return None
    if not _DECIMAL.fullmatch(text) or not 0 <= (days := float(text)) <= _MAX_WAITING_DAYS:
        refused = Refused("out_of_range", f"expected a number from 0 to {_MAX_WAITING_DAYS}")
        faults.append(fault("/waiting_days", "waiting_days", refused))
        return None
    return days


def _one_of(name: str, given: dict[str, str], faults: list[Fault]) -> str | None:
    known = PARAMETERS[name]["enum"]
    if name in given and given[name] not in known:
        refused = Refused("unknown", f"expected one of {', '.join(known)}")
        faults.append(fault(f"/{name}", name, refused))
        return None
    return given.get(name)


def _time(name: str, given: dict[str, str], faults: list[Fault]) -> int | None:
    if name not in given:
        return None
    try:
        # In a query string an unescaped plus is a space.
        return read_moment(_LOST_PLUS.sub(r"+\1", given[name]), _ANY_TIME)
    except Refused as refused:
        faults.append(fault(f"/{name}", name, refused))
        return None


def _accepted(accept: str) -> Format:
    """The first format that the header names. Browsers name text/html first."""
    for part in accept.split(","):
        media_type = part.partition(";")[0].strip().lower()
        for name, known in MEDIA_TYPES.items():
            if media_type == known:
                return name
    return "json"


def _refused(*faults: Fault) -> InvalidInput:
    return InvalidInput("the query cannot be read", faults)
