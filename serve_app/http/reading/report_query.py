"""Reading the query string of a report, or every wrong parameter in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from deciding.plans.versions import MAX_VERSION
from experiments.maturity import Unlabelled
from experiments.report import DEFAULT_DAYS
from fraud.errors import InvalidInput
from serve_app.http.reading.fault import Refused, fault
from serve_app.http.reading.query import Query, refused_query

Format = Literal["json", "csv", "html"]

MEDIA_TYPES: Final[dict[Format, str]] = {
    "json": "application/json",
    "csv": "text/csv",
    "html": "text/html",
}
MAX_DAYS: Final = 366
_MAX_WAITING_DAYS = 366
_DAY_MS = 86_400_000

PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "version": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_VERSION,
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
    query = Query.read(parameters, PARAMETERS)
    version = query.whole("version", MAX_VERSION)
    waiting_days = _waiting_days(query)
    unlabelled = query.one_of("unlabelled", PARAMETERS["unlabelled"]["enum"]) or "excluded"
    format_ = query.one_of("format", MEDIA_TYPES) or _accepted(accept)
    times = [query.moment(name) for name in ("from", "to")]
    query.require_faultless()
    to_ms = now_ms if times[1] is None else times[1]
    from_ms = max(to_ms - DEFAULT_DAYS * _DAY_MS, 0) if times[0] is None else times[0]
    if from_ms >= to_ms:
        refused = Refused("not_before_to", "expected a time before `to`")
        raise refused_query(fault("/from", "from", refused))
    if to_ms - from_ms > MAX_DAYS * _DAY_MS:
        refused = Refused("span_too_long", f"expected at most {MAX_DAYS} days before `to`")
        raise refused_query(fault("/from", "from", refused))
    return ReportQuery(from_ms, to_ms, version, waiting_days, unlabelled, format_)  # type: ignore[arg-type]


def too_long() -> InvalidInput:
    """Return the problem of a report that takes too long."""
    refused = Refused(
        "span_too_long", "expected a time nearer to `to`: there are too many decisions"
    )
    return refused_query(fault("/from", "from", refused))


def _waiting_days(query: Query) -> float | None:
    text = query.given.get("waiting_days")
    if text is None:
        return None
    if not _DECIMAL.fullmatch(text) or not 0 <= (days := float(text)) <= _MAX_WAITING_DAYS:
        what = f"expected a number from 0 to {_MAX_WAITING_DAYS}"
        query.note("waiting_days", Refused("out_of_range", what))
        return None
    return days


def _accepted(accept: str) -> Format:
    """The first format that the header names. Browsers name text/html first."""
    for part in accept.split(","):
        media_type = part.partition(";")[0].strip().lower()
        for name, known in MEDIA_TYPES.items():
            if media_type == known:
                return name
    return "json"
