"""Simulations: what recorded decisions would have been under another plan."""

from __future__ import annotations

from typing import Final

from msgspec import convert

from deciding.plans.versions import MAX_VERSION, NAME_PATTERN
from fraud.errors import InvalidInput, NotFound
from serve_app.gateway.simulations import MOST_DECISIONS
from serve_app.http.reading.plan_bodies import in_document, read_plan_id
from serve_app.http.reading.plan_query import OWNER, read_of_house
from serve_app.http.reading.simulation_bodies import read_last, read_simulation
from serve_app.http.route import Answer, Call, Json, Route
from serve_app.http.wire.examples import DECISION
from serve_app.http.wire.simulation_schemas import LastIn, SimulationIn, SimulationOut

_FIGURES: Final[Json] = {
    "decisions": 4,
    "flipped": 1,
    "outcomes": [
        {"outcome": outcome, "before": n, "after": m, "rate_before": n / 4, "rate_after": m / 4}
        for outcome, n, m in (
            ("approve", 3, 2),
            ("challenge", 0, 1),
            ("review", 1, 1),
            ("block", 0, 0),
        )
    ],
    "labels": {
        "labelled": 3,
        "mature": 2,
        "fraud": 1,
        "genuine": 1,
        "caught_before": 0,
        "caught_after": 1,
        "false_positives_before": 1,
        "false_positives_after": 1,
        "value": [{"currency": "EUR", "fraud": "129.90", "before": "0.00", "after": "129.90"}],
        "cost": [],
    },
}
_EXAMPLE: Final[Json] = {
    "plan": {"name": "default", "version": 4},
    "tenant": "acme",
    "last": 5000,
    "is_complete": True,
    "undecided": 0,
    "by_rules": 0,
    "first_at": "2026-02-27T09:00:00Z",
    "last_at": "2026-03-01T12:00:00Z",
    "recorded_plans": [{"name": "default", "version": 3, "decisions": 4}],
    **_FIGURES,
    "flips": [
        {
            "before": "approve",
            "after": "challenge",
            "decisions": 1,
            "value": [{"currency": "EUR", "value": "129.90"}],
        }
    ],
    "segments": {
        "currency": [{"name": "EUR", **_FIGURES}],
        "country": [{"name": "DE", **_FIGURES}],
        "type": [{"name": "purchase", **_FIGURES}],
        "channel": [{"name": "online", **_FIGURES}],
        "amount": [{"name": "100 to 500", **_FIGURES}],
        "arm": [{"name": "", **_FIGURES}],
    },
    "votes": [
        {
            "variant": "xgboost",
            "recorded": {"9c1f02ab77de": 3},
            "asked": {},
            "missing": {"late": 1},
            "refused": "",
        }
    ],
    "sample": [
        {
            "decision_id": DECISION["decision_id"],
            "before": "approve",
            "after": "challenge",
            "probability_before": 0.04,
            "probability_after": 0.13,
        }
    ],
}
_WHAT: Final = (
    f"Runs over the tenant's newest decisions on record, at most {MOST_DECISIONS:,}, with the votes"
    " that they hold; models are asked for votes that the records do not have. Nothing is stored or"
    " activated, and no decision waits: it runs in a process of its own, one at a time, and another"
    " one is answered with 503 `overloaded`. After 15 seconds it reads no further, and"
    " `is_complete` is false. Amounts of different currencies are never added up."
)


@Route(
    method="POST",
    path="/v1/plans/simulate",
    operation_id="simulatePlan",
    summary="What recorded decisions would have been under a plan",
    description=f"The plan is not stored; it is checked as if it were. {_WHAT}",
    tag="models",
    scope="plans",
    body=(SimulationIn,),
    body_example={
        "document": {
            "name": "default",
            "kind": "ensemble",
            "members": [
                {"variant": "xgboost", "weight": 0.8},
                {"variant": "logistic", "weight": 0.3},
            ],
            "thresholds": {"challenge": 0.1, "review": 0.4, "block": 0.85},
        },
        "last": 5000,
    },
    answers={200: Answer("What would have been", SimulationOut, _EXAMPLE)},
)
async def simulate_plan(call: Call) -> SimulationOut:
    """Simulate a plan that is not stored."""
    document, last = read_simulation(await call.json(call.services.limits.max_batch_body_bytes))
    try:
        found = await call.services.simulations.of_document(call.tenant, document, last)
    except InvalidInput as error:
        raise in_document(error) from None
    return convert(found, SimulationOut)


@Route(
    method="POST",
    path="/v1/plans/{name}/{version}/simulate",
    operation_id="simulateStoredPlan",
    summary="What recorded decisions would have been under a stored plan",
    description=f"The tenant's own plan or, if it has none of this name and version, the house's. "
    f"{_WHAT} The body may be missing.",
    tag="models",
    scope="plans",
    parameters={
        "name": {"type": "string", "pattern": NAME_PATTERN},
        "version": {"type": "integer", "minimum": 1, "maximum": MAX_VERSION},
        **OWNER,
    },
    body=(LastIn,),
    needs_body=False,
    body_example={"last": 5000},
    problems=(404,),
    answers={200: Answer("What would have been", SimulationOut, _EXAMPLE)},
)
async def simulate_stored_plan(call: Call) -> SimulationOut:
    """Simulate a stored plan."""
    plan = read_plan_id(call.path("name"), call.path("version"))
    if plan is None:
        raise NotFound("no such plan")
    of_house = read_of_house(call.request.query_params.multi_items())
    last = read_last(await call.optional_json())
    found = await call.services.simulations.of_version(call.tenant, plan, last, of_house)
    return convert(found, SimulationOut)
