"""GET /v1/plans/active: what decides now, and where its outcomes begin."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from fraud.combine.risk import BAND, bands
from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.errors import NotFound
from fraud.plan import Plan
from serve_app.http.routes.request import answer, principal, services
from serve_app.http.wire.plan_schemas import ActivePlanOut, AnomalyOut, BandOut, MemberOut

router = APIRouter()


@router.get("/v1/plans/active")
async def active_plan(request: Request) -> Response:
    """The plan that decides now."""
    await principal(request)
    plan = await services(request).records.active_plan()
    if plan is None:
        raise NotFound("no plan is active yet: the first training makes one")
    return answer(plan_out(plan))


def plan_out(plan: Plan) -> ActivePlanOut:
    """A plan as clients see it."""
    t = plan.thresholds
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
    if plan.anomaly is not None and t.anomaly_challenge is not None:
        anomaly = AnomalyOut(plan.anomaly, t.anomaly_challenge, BAND)
    return ActivePlanOut(
        plan.name,
        plan.version,
        plan.kind,
        plan.method.name,
        [MemberOut(m.variant, m.weight) for m in plan.members],
        plan.deadline_ms,
        of_outcomes,
        anomaly,
    )
