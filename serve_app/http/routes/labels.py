"""What payments turned out to be: of a decision, of a payment by one of its ids, of many."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from fraud.errors import InvalidInput
from serve_app.gateway.labels import LabelResult, NewLabel
from serve_app.http.exchange import REQUEST_ID
from serve_app.http.problems import problem_of
from serve_app.http.reading.label_bodies import read_label, read_labels, read_named_label
from serve_app.http.routes.request import answer, json_answer, json_body, principal, services
from serve_app.http.services import Services
from serve_app.http.wire.answers import encode
from serve_app.http.wire.found import label_out

router = APIRouter()


@router.post("/v1/decisions/{decision_id}/labels")
async def add_label(request: Request, decision_id: str) -> Response:
    """Keep a label: 201 if it is new, 200 if it was already kept, 409 if it contradicts."""
    who = await principal(request)
    house = services(request)
    new = read_label(await json_body(request), decision_id, _latest_ms(house))
    label, is_new = await house.records.label(who.tenant, new)
    return answer(label_out(label), 201 if is_new else 200)


@router.post("/v1/labels")
async def add_label_of(request: Request) -> Response:
    """The same, of the payment that the body names."""
    who = await principal(request)
    house = services(request)
    new = read_named_label(await json_body(request), "", _latest_ms(house))
    label, is_new = await house.records.label(who.tenant, new)
    return answer(label_out(label), 201 if is_new else 200)


@router.post("/v1/labels/batch")
async def add_labels(request: Request) -> Response:
    """Keep many labels: each is answered in its place, with what is kept or with a problem."""
    who = await principal(request)
    house = services(request)
    body = await json_body(request, house.limits.max_batch_body_bytes)
    rows = read_labels(body, house.limits.max_batch_rows, _latest_ms(house))
    claims = [row for row in rows if isinstance(row, NewLabel)]
    kept = iter(await house.records.labels(who.tenant, claims) if claims else ())
    request_id = request.scope.get(REQUEST_ID)
    results = [
        _result(i, next(kept) if isinstance(row, NewLabel) else row, request_id)
        for i, row in enumerate(rows)
    ]
    return json_answer(b'{"results":[%b]}' % b",".join(results))


def _result(i: int, kept: LabelResult, request_id: str | None) -> bytes:
    if not isinstance(kept, Exception):
        return encode(label_out(kept[0]))
    if isinstance(kept, InvalidInput):
        kept = _placed(kept, f"/labels/{i}")
    return problem_of(kept, request_id).body()


def _placed(wrong: InvalidInput, pointer: str) -> InvalidInput:
    """The fault with its place in the whole body, where it is told as of its row alone."""
    errors = (
        (at if at.startswith(pointer) else f"{pointer}{at}", code, detail)
        for at, code, detail in wrong.errors
    )
    return InvalidInput(wrong.detail, tuple(errors))


def _latest_ms(house: Services) -> int:
    return house.now_ms() + house.limits.max_future_s * 1000
