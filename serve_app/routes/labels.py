"""POST /v1/decisions/{decision_id}/labels: what a payment turned out to be."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from fraud.errors import InvalidInput
from serve_app.faults import EPOCH, inspect_label
from serve_app.records import Verdict
from serve_app.routes.request import answer, json_body, principal, services

router = APIRouter()


@router.post("/v1/decisions/{decision_id}/labels")
async def add_label(request: Request, decision_id: str) -> Response:
    """Keep a label: 201 if it is new, 200 if it was already kept, 409 if it contradicts."""
    who = await principal(request)
    house = services(request)
    latest_ms = house.now_ms() + house.max_future_s * 1000
    found, faults = inspect_label(await json_body(request), latest_ms)
    if found is None:
        raise InvalidInput("the label cannot be read", tuple(faults))
    is_fraud, source, known_ms = found
    known_at = None if known_ms is None else EPOCH + timedelta(milliseconds=known_ms)
    verdict = Verdict(is_fraud, source, known_at)
    label, is_new = await house.ledger.label(who.tenant, decision_id, verdict)
    return answer(label, 201 if is_new else 200)
