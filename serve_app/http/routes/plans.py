"""Plans: the one that decides, every version, storing and activating them."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from deciding.plans.versions import MAX_VERSION, NAME_PATTERN, PlanId
from fraud.errors import InvalidInput, NotFound
from serve_app.http.reading.plan_bodies import (
    in_document,
    read_activation,
    read_new_plan,
    read_plan_id,
)
from serve_app.http.reading.plan_query import LISTED, OWNER, read_listing, read_of_house
from serve_app.http.route import Answer, Call, Json, Route, answer
from serve_app.http.wire.plan_schemas import (
    ActivationIn,
    ActivationOut,
    ActivePlanOut,
    NewPlanIn,
    PlansOut,
    StoredPlanOut,
    activation_out,
    active_plan_out,
    plan_version_out,
    stored_plan_out,
)

_PLAN_ID: Final[dict[str, Json]] = {
    "name": {"type": "string", "pattern": NAME_PATTERN},
    "version": {"type": "integer", "minimum": 1, "maximum": MAX_VERSION},
}
_DOCUMENT: Final[Json] = {
    "name": "default",
    "kind": "ensemble",
    "members": [
        {"variant": "xgboost", "weight": 0.8},
        {"variant": "logistic", "weight": 0.3},
    ],
    "thresholds": {"challenge": 0.12, "review": 0.4, "block": 0.85},
}
_VERSION: Final[Json] = {
    "name": "default",
    "version": 4,
    "kind": "ensemble",
    "house": False,
    "active": False,
    "author": "key 7f3a9c01d2e4",
    "reason": "less weight on logistic",
    "created_at": "2026-03-01T12:00:00Z",
}
_WHOSE = "A key of the home tenant manages the house's plans, any other its tenant's own."
_PRIVATE = "Only the home tenant sees who stored a plan of the house, and why."


@Route(
    method="GET",
    path="/v1/plans/active",
    operation_id="readActivePlan",
    summary="The active plan and its thresholds",
    description="The plan that decides for the key's tenant: its own, else the house's.",
    tag="models",
    scope="read",
    problems=(404,),
    answers={
        200: Answer(
            "The plan",
            ActivePlanOut,
            {
                "name": "default",
                "version": 3,
                "kind": "ensemble",
                "house": True,
                "combiner": "stack",
                "members": [
                    {"name": "xgboost", "weight": 0.8},
                    {"name": "logistic", "weight": 0.3},
                ],
                "deadline_ms": 100,
                "decisions": [
                    {
                        "decision": decision,
                        "risk_level": level,
                        "from_probability": start,
                        "below_probability": end,
                        "from_score": score,
                        "to_score": score + 24,
                    }
                    for decision, level, start, end, score in (
                        ("approve", "low", 0.0, 0.12, 0),
                        ("challenge", "medium", 0.12, 0.4, 25),
                        ("review", "high", 0.4, 0.85, 50),
                        ("block", "critical", 0.85, 1.0, 75),
                    )
                ],
                "anomaly": {
                    "name": "isolation-forest",
                    "challenge_from": 0.995,
                    "risk_score": 25,
                },
                "arms": [],
            },
        )
    },
)
async def active_plan(call: Call) -> ActivePlanOut:
    """Return the plan that decides for the key's tenant."""
    stored = await call.services.plans.deciding(call.tenant)
    if stored is None:
        raise NotFound("no plan is active yet: the first training creates one")
    return active_plan_out(stored, stored.plan())


@Route(
    method="GET",
    path="/v1/plans",
    operation_id="listPlans",
    summary="List plans",
    scope="read",
    description="Plans of the key's tenant and of the house: those that decide, then the newest. "
    f"{_PRIVATE}",
    tag="models",
    parameters=LISTED,
    problems=(422,),
    answers={200: Answer("The plans", PlansOut, {"plans": [_VERSION]})},
)
async def list_plans(call: Call) -> PlansOut:
    """Return plans of the key's tenant and of the house, without documents."""
    listing = read_listing(call.request.query_params.multi_items())
    found = await call.services.plans.versions(call.tenant, *listing)
    return PlansOut([plan_version_out(stored) for stored in found])


@Route(
    method="POST",
    path="/v1/plans",
    operation_id="storePlan",
    summary="Store a plan",
    scope="plans",
    description=f"As the next version of its name; it does not decide until it is activated. "
    f"{_WHOSE} A plan may name the house's variants and its tenant's own, which must exist and "
    "speak the served features. 422 names the place of every fault, and nothing is stored. "
    "`version` and the `slots` of arms are ignored: they follow from the version before.",
    tag="models",
    body=(NewPlanIn,),
    body_example={"document": _DOCUMENT, "reason": _VERSION["reason"]},
    answers={
        201: Answer(
            "The plan is stored",
            StoredPlanOut,
            {**_VERSION, "document": {**_DOCUMENT, "version": 4}, "missing": []},
        )
    },
)
async def store_plan(call: Call) -> Response:
    """Store a plan as the next version of its name."""
    new = read_new_plan(await call.json(call.services.limits.max_batch_body_bytes))
    try:
        stored, missing = await call.services.plans.store(
            call.tenant, new.document, _author(call), new.reason
        )
    except InvalidInput as error:
        raise in_document(error) from None
    return answer(stored_plan_out(stored, missing), 201)


@Route(
    method="GET",
    path="/v1/plans/{name}/{version}",
    operation_id="readPlan",
    summary="Read a version of a plan",
    scope="read",
    description="The tenant's own or, if it has none of this name and version, the house's. "
    f"{_PRIVATE}",
    tag="models",
    parameters={**_PLAN_ID, **OWNER},
    problems=(404, 422),
    answers={
        200: Answer(
            "The plan", StoredPlanOut, {**_VERSION, "document": {**_DOCUMENT, "version": 4}}
        )
    },
)
async def read_plan(call: Call) -> StoredPlanOut:
    """Return a version of a plan with its document."""
    of_house = read_of_house(call.request.query_params.multi_items())
    return stored_plan_out(await call.services.plans.read(call.tenant, *_plan_id(call), of_house))


@Route(
    method="POST",
    path="/v1/plans/{name}/{version}/activate",
    operation_id="activatePlan",
    summary="Activate a plan",
    scope="plans",
    description=f"It decides in every combiner within two seconds, without a restart. To go back, "
    f"activate an older version. {_WHOSE} If another plan is active than `expected` says, or than "
    "was active when the call began, nothing changes and the answer is 409: of two calls at the "
    "same time one wins. The body may be missing.",
    tag="models",
    parameters=_PLAN_ID,
    body=(ActivationIn,),
    needs_body=False,
    body_example={"expected": {"name": "default", "version": 3}, "reason": "fewer false alarms"},
    problems=(404, 409),
    answers={
        200: Answer(
            "What decides",
            ActivationOut,
            {
                "plan": {"name": "default", "version": 4},
                "previous": {"name": "default", "version": 3},
                "changed": True,
                "missing": [],
            },
        )
    },
)
async def activate_plan(call: Call) -> ActivationOut:
    """Make one of the tenant's plans the one that decides for it."""
    plan = _plan_id(call)
    wanted = read_activation(await call.optional_json())
    done = await call.services.plans.activate(
        call.tenant, plan, _author(call), wanted.reason, wanted.expected
    )
    return activation_out(plan, done.activation, done.missing)


def _plan_id(call: Call) -> PlanId:
    found = read_plan_id(call.path("name"), call.path("version"))
    if found is None:
        raise NotFound("no such plan")
    return found


def _author(call: Call) -> str:
    """Who sends the request, for the history of plans."""
    assert call.principal is not None
    return f"key {call.principal.key_id}"
