"""GET /v1/variants: the pools, and their part in the active plan."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from msgspec import Meta, Struct

from fraud.plan import Plan
from serve_app.gateway.pool import Pool
from serve_app.http.route import Answer, Call, Route
from serve_app.http.wire.schemas import PlanOut


class ReplicasOut(Struct, gc=False):
    """The size of a pool."""

    running: int
    starting: int


class VariantOut(Struct, gc=False):
    """A pool of model replicas and its part in the active plan."""

    name: str
    role: Literal["voter", "anomaly", "unused"]
    weight: float | None
    app_status: Annotated[str, Meta(description="as Ray Serve reports it; MISSING: no such app")]
    version: Annotated[str | None, Meta(description="artifact version that a replica reports")]
    replicas: ReplicasOut


class VariantsOut(Struct, gc=False):
    """The pools, and the plan that uses them (null: no plan is active)."""

    plan: PlanOut | None
    variants: list[VariantOut]


@Route(
    method="GET",
    path="/v1/variants",
    operation_id="listVariants",
    summary="The model pools and the active plan",
    tag="models",
    scope="read",
    answers={
        200: Answer(
            "The pools",
            VariantsOut,
            {
                "plan": {"name": "default", "version": 3},
                "variants": [
                    {
                        "name": "xgboost",
                        "role": "voter",
                        "weight": 0.5,
                        "app_status": "RUNNING",
                        "version": "9c1f02ab77de",
                        "replicas": {"running": 1, "starting": 0},
                    }
                ],
            },
        )
    },
)
async def list_variants(call: Call) -> VariantsOut:
    """Return every pool that runs and every variant that the plan uses, running or not."""
    stored, pools = await asyncio.gather(
        call.services.plans.deciding(call.tenant), call.services.pools()
    )
    plan = None if stored is None else stored.plan()
    return VariantsOut(
        None if plan is None else PlanOut(plan.name, plan.version),
        [_variant_out(pool, plan) for pool in _with_missing(pools, plan)],
    )


def _with_missing(pools: list[Pool], plan: Plan | None) -> list[Pool]:
    running = {pool.variant for pool in pools}
    wanted = () if plan is None else plan.variants
    missing = [Pool(name, "MISSING", 0, 0, None) for name in wanted if name not in running]
    return sorted([*pools, *missing], key=lambda pool: pool.variant)


def _variant_out(pool: Pool, plan: Plan | None) -> VariantOut:
    members = () if plan is None else plan.control.members
    weight = next((m.weight for m in members if m.variant == pool.variant), None)
    role: Literal["voter", "anomaly", "unused"] = "unused"
    if weight is not None:
        role = "voter"
    elif plan is not None and plan.control.anomaly == pool.variant:
        role = "anomaly"
    replicas = ReplicasOut(pool.running, pool.starting)
    return VariantOut(pool.variant, role, weight, pool.app_status, pool.version, replicas)
