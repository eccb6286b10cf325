"""Labels, for a payment named by a decision or by its own id; one or many at once."""

from __future__ import annotations

from starlette.responses import Response

from fraud.errors import InvalidInput
from serve_app.gateway.labels import KeptLabel, LabelResult, NewLabel
from serve_app.http.problems import problem_of
from serve_app.http.reading.label_bodies import read_label, read_labels, read_named_label
from serve_app.http.route import Answer, Call, Json, Route, answer, json_answer
from serve_app.http.routes.decisions import DECISION_ID
from serve_app.http.wire.answers import encode
from serve_app.http.wire.examples import PROBLEM
from serve_app.http.wire.found import label_out
from serve_app.http.wire.label_schemas import (
    LabelBatchIn,
    LabelIn,
    LabelOfDecisionIn,
    LabelOfTransactionIn,
    LabelOut,
    LabelResultsOut,
)

_RULES = """Repeating a label changes nothing. A source corrects itself with a newer `known_at`; an
older label that arrives late is kept but has no effect. The opposite verdict from the same source
for the same `known_at` is refused with 409, and so is a label for a decision with
`transaction_reused`: labels are kept by transaction id, so it would count for the payment that had
the id first."""

_LABEL_OF: Json = {
    "transaction_id": "t-20260301-000017",
    "is_fraud": True,
    "source": "chargeback",
    "known_at": "2026-03-20T08:30:00Z",
}
_LABEL: Json = {
    "decision_id": "01956f2c-7a40-7c11-9d0e-3f1f6c2b8a55",
    **_LABEL_OF,
    "received_at": "2026-03-20T08:30:01Z",
}
_WRONG_ROW = {**PROBLEM, "errors": [{**PROBLEM["errors"][0], "pointer": "/labels/1/source"}]}
_KEPT = {
    200: Answer("The label was kept before", LabelOut, _LABEL),
    201: Answer("The label is kept", LabelOut, _LABEL),
}


@Route(
    method="POST",
    path="/v1/decisions/{decision_id}/labels",
    operation_id="addLabel",
    summary="Label the payment of a decision",
    description=_RULES,
    tag="labels",
    scope="label",
    parameters=DECISION_ID,
    body=(LabelIn,),
    body_example={"is_fraud": True, "source": "chargeback"},
    problems=(404, 409),
    answers=_KEPT,
)
async def add_label(call: Call) -> Response:
    """Keep a label: 201 if it is new, 200 if it was already kept, 409 if it contradicts another."""
    label = read_label(await call.json(), call.path("decision_id"), _latest_ms(call))
    return _kept(*await call.services.records.label(call.tenant, label))


@Route(
    method="POST",
    path="/v1/labels",
    operation_id="addLabelOf",
    summary="Label a payment",
    description="Name the payment by your `transaction_id` or by the `decision_id` of an answer, "
    "not both. " + _RULES,
    tag="labels",
    scope="label",
    body=(LabelOfTransactionIn, LabelOfDecisionIn),
    body_example=_LABEL_OF,
    problems=(404, 409),
    answers=_KEPT,
)
async def add_label_of(call: Call) -> Response:
    """Keep a label of the payment that the body names."""
    label = read_named_label(await call.json(), "", _latest_ms(call))
    return _kept(*await call.services.records.label(call.tenant, label))


@Route(
    method="POST",
    path="/v1/labels/batch",
    operation_id="addLabels",
    summary="Label up to {max_rows} payments",
    description="Results are in the order of the labels, each the kept label or a problem. A label "
    "that cannot be kept does not stop the others. It is safe to send a batch again.",
    tag="labels",
    scope="label",
    body=(LabelBatchIn,),
    body_example={"labels": [_LABEL_OF]},
    answers={
        200: Answer("A result for each label", LabelResultsOut, {"results": [_LABEL, _WRONG_ROW]})
    },
)
async def add_labels(call: Call) -> Response:
    """Keep many labels: each is answered in its place, with what is kept or with a problem."""
    limits = call.services.limits
    body = await call.json(limits.max_batch_body_bytes)
    rows = read_labels(body, limits.max_batch_rows, _latest_ms(call))
    labels = [row for row in rows if isinstance(row, NewLabel)]
    kept = iter(await call.services.records.labels(call.tenant, labels) if labels else ())
    results = [
        _result(i, next(kept) if isinstance(row, NewLabel) else row, call.request_id)
        for i, row in enumerate(rows)
    ]
    return json_answer(b'{"results":[%b]}' % b",".join(results))


def _kept(label: KeptLabel, is_new: bool) -> Response:
    return answer(label_out(label), 201 if is_new else 200)


def _result(i: int, result: LabelResult, request_id: str | None) -> bytes:
    if not isinstance(result, Exception):
        return encode(label_out(result[0]))
    if isinstance(result, InvalidInput):
        result = _placed(result, f"/labels/{i}")
    return problem_of(result, request_id).body()


def _placed(error: InvalidInput, pointer: str) -> InvalidInput:
    """Return the error with pointers into the whole body, where they lead into its row alone."""
    errors = (
        (at if at.startswith(pointer) else f"{pointer}{at}", code, detail)
        for at, code, detail in error.errors
    )
    return InvalidInput(error.detail, tuple(errors))


def _latest_ms(call: Call) -> int:
    return call.services.now_ms() + call.services.limits.max_future_ms
