"""Reading the bodies of requests for simulations."""

from __future__ import annotations

from typing import Any

from serve_app.gateway.simulations import MOST_DECISIONS, USUAL_DECISIONS
from serve_app.http.reading.fault import Fault, Refused, fault, not_an_object, unknown_fields
from serve_app.http.reading.json_body import Number
from serve_app.http.reading.plan_bodies import read_document, refused


def read_simulation(body: Any) -> tuple[dict[str, Any], int]:
    """Read the body of `POST /v1/plans/simulate`: the document of a plan, unchecked, and how many
    decisions.

    Raises:
        InvalidInput: it is wrong; names every fault.
    """
    if not isinstance(body, dict):
        raise refused(not_an_object(""))
    faults = unknown_fields(body, ("document", "last"), "")
    last = _last(body, faults)
    document = read_document(body, faults)
    if faults:
        raise refused(*faults)
    return document, last


def read_last(body: Any) -> int:
    """Read the body of a simulation of a stored plan; None where none was sent.

    Raises:
        InvalidInput: it is wrong; names every fault.
    """
    if body is None:
        return USUAL_DECISIONS
    if not isinstance(body, dict):
        raise refused(not_an_object(""))
    faults = unknown_fields(body, ("last",), "")
    last = _last(body, faults)
    if faults:
        raise refused(*faults)
    return last


def _last(body: dict[str, Any], faults: list[Fault]) -> int:
    if "last" not in body:
        return USUAL_DECISIONS
    given = body["last"]
    text = given.text.removesuffix(".0") if isinstance(given, Number) else ""
    if text.isascii() and text.isdigit() and len(text) <= 10 and 1 <= int(text) <= MOST_DECISIONS:
        return int(text)
    what = Refused("out_of_range", f"expected a whole number from 1 to {MOST_DECISIONS}")
    faults.append(fault("/last", "last", what))
    return 0
