"""GET /v1/plans/active: the active plan, and the probabilities at which its outcomes start."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from fraud.combine.risk import BAND, bands
from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.errors import NotFound
from fraud.methods.registry import METHODS
from fraud.plan import Plan
from fraud.policy.reading import KINDS
from serve_app.http.route import Answer, Call, Route

PolicyKind = Literal[*KINDS]  # type: ignore[valid-type]
CombiningMethod = Literal[*METHODS]  # type: ignore[valid-type]


class MemberOut(Struct, gc=False):
    """A variant that votes, and the weight of its vote."""

    name: str
    weight: Annotated[float, Meta(gt=0)]


class BandOut(Struct, gc=False):
    """The range of a decision. A decision with an empty range is never made."""

    decision: Literal["approve", "challenge", "review", "block"]
    risk_level: Literal["low", "medium", "high", "critical"]
    from_probability: Annotated[float, Meta(ge=0, le=1, description="lower bound, inclusive")]
    below_probability: Annotated[
        float, Meta(ge=0, le=1, description="upper bound, exclusive; inclusive for block")
    ]
    from_score: Annotated[int, Meta(ge=0, le=99, description="its lowest risk_score")]
    to_score: Annotated[int, Meta(ge=0, le=99, description="its highest risk_score")]


class AnomalyOut(Struct, gc=False):
    """The anomaly score from which an approval becomes a challenge, whatever its probability."""

    name: Annotated[str, Meta(description="the variant that gives the anomaly score")]
    challenge_from: Annotated[float, Meta(ge=0, le=1)]
    risk_score: Annotated[int, Meta(ge=0, le=99, description="score of such a challenge")]


class ActivePlanOut(Struct, gc=False):
    """The active plan."""

    name: str
    version: int
    kind: PolicyKind
    combiner: CombiningMethod
    members: list[MemberOut]
    deadline_ms: Annotated[int, Meta(gt=0, description="how long to wait for votes")]
    decisions: Annotated[list[BandOut], Meta(description="mildest first")]
    anomaly: Annotated[
        AnomalyOut | None, Meta(description="null: anomaly scores do not challenge payments")
    ]


@Route(
    method="GET",
    path="/v1/plans/active",
    operation_id="readActivePlan",
    summary="The active plan and its thresholds",
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
            },
        )
    },
)
async def active_plan(call: Call) -> ActivePlanOut:
    """Return the active plan."""
    plan = await call.services.records.active_plan()
    if plan is None:
        raise NotFound("no plan is active yet: the first training creates one")
    return plan_out(plan)


def plan_out(plan: Plan) -> ActivePlanOut:
    """Return a plan as clients see it."""
    ensemble = plan.control
    t = ensemble.thresholds
    of_outcomes = [
        BandOut(
            outcome.value,
            level,  # type: ignore[arg-type]
            from_probability,
            below,
            lowest,
            highest,
        )
        for outcome, level, (from_probability, below, lowest, highest) in zip(
            OUTCOMES, RISK_LEVELS, bands(t), strict=True
        )
    ]
    anomaly = None
    if ensemble.anomaly is not None and t.anomaly_challenge is not None:
        anomaly = AnomalyOut(ensemble.anomaly, t.anomaly_challenge, BAND)
    return ActivePlanOut(
        plan.name,
        plan.version,
        plan.kind,
        ensemble.method.name,
        [MemberOut(m.variant, m.weight) for m in ensemble.members],
        ensemble.deadline_ms,
        of_outcomes,
        anomaly,
    )
