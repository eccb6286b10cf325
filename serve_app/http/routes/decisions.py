"""Decisions: made on the hot path (`serve_app.http.asgi`), read and searched here."""

from __future__ import annotations

from typing import Final

from serve_app.http.reading.search_query import PARAMETERS, Reach, read_search
from serve_app.http.route import Answer, Call, Json, Route
from serve_app.http.wire.examples import DECISION, PROBLEM, TRANSACTION
from serve_app.http.wire.found import decision_out, page_out
from serve_app.http.wire.schemas import (
    BatchIn,
    DecisionOut,
    DecisionsOut,
    KeptDecisionOut,
    ResultsOut,
    TransactionIn,
)

DECISION_ID: Final[dict[str, Json]] = {"decision_id": {"type": "string", "format": "uuid"}}

_LIMITS = ("RateLimit-Policy", "RateLimit")
_WRONG_ROW = {name: value for name, value in PROBLEM.items() if name != "request_id"}
_KEPT_DECISION: Json = {
    **DECISION,
    "payment": TRANSACTION,
    "labels": [
        {
            "is_fraud": True,
            "source": "chargeback",
            "known_at": "2026-03-20T08:30:00Z",
            "received_at": "2026-03-20T08:30:01Z",
            "decision_id": None,
            "holds": True,
        }
    ],
}

DECIDE: Final = Route(
    method="POST",
    path="/v1/decisions",
    operation_id="decide",
    summary="Decide on a payment",
    tag="decisions",
    scope="decide",
    is_limited=True,
    body=(TransactionIn,),
    body_example=TRANSACTION,
    answers={200: Answer("The decision", DecisionOut, DECISION, headers=_LIMITS)},
)

DECIDE_BATCH: Final = Route(
    method="POST",
    path="/v1/decisions/batch",
    operation_id="decideBatch",
    summary="Decide on up to {max_rows} payments",
    description="Results are in the order of the transactions, each a decision or a problem. An "
    "invalid or rate-limited row does not stop the others; 429 and 503 mean that no row was "
    "decided. Payments are counted in order: each decision takes the customer's earlier payments "
    "of the batch into account.",
    tag="decisions",
    scope="decide",
    is_limited=True,
    body=(BatchIn,),
    body_example={"transactions": [TRANSACTION]},
    answers={
        200: Answer(
            "A result for each row",
            ResultsOut,
            {"results": [DECISION, _WRONG_ROW]},
            headers=_LIMITS,
        )
    },
)


@Route(
    method="GET",
    path="/v1/decisions",
    operation_id="listDecisions",
    summary="Search decisions",
    description="Decisions of the key's tenant, newest first, each as `readDecision` returns it. "
    "All given parameters must match. For the next page send the same parameters with "
    "`next_cursor` as `cursor`: new decisions do not shift the pages. A decision is found as "
    "soon as it is in PostgreSQL, normally within half a second of its answer.",
    tag="decisions",
    scope="read",
    parameters=PARAMETERS,
    problems=(422,),
    answers={
        200: Answer(
            "A page",
            DecisionsOut,
            {
                "decisions": [_KEPT_DECISION],
                "next_cursor": None,
                "from": "2026-02-20T00:00:00Z",
                "to": "2026-03-22T00:00:00Z",
            },
        )
    },
)
async def list_decisions(call: Call) -> DecisionsOut:
    """Return a page of decisions of the key's tenant, newest first."""
    limits = call.services.limits
    reach = Reach(limits.max_past_ms, limits.max_future_ms)
    parameters = call.request.query_params.multi_items()
    search = read_search(parameters, call.services.now_ms(), reach)
    return page_out(await call.services.records.decisions(call.tenant, search))


@Route(
    method="GET",
    path="/v1/decisions/{decision_id}",
    operation_id="readDecision",
    summary="Read a decision",
    description="The original answer, with the payment as it was sent and all labels of the "
    "payment, oldest first; `holds` marks the label that counts. If the process was killed right "
    "after its answer, only `log` may be missing from `stage_ms`. A call for a decision that was "
    "just made waits for it, up to a second.",
    tag="decisions",
    scope="read",
    parameters=DECISION_ID,
    problems=(404,),
    answers={200: Answer("The decision", KeptDecisionOut, _KEPT_DECISION)},
)
async def read_decision(call: Call) -> KeptDecisionOut:
    """Return a decision of the key's tenant; 404 for all other tenants."""
    found = await call.services.records.decision(call.tenant, call.path("decision_id"))
    return decision_out(found)
