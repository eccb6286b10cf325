"""GET /v1/variants: the pools, and what the active plan makes of them."""

from __future__ import annotations

import asyncio
from typing import Literal

from fastapi import APIRouter, Request, Response

from fraud.plan import Plan
from serve_app.gateway.pool import Pool
from serve_app.http.routes.request import answer, principal, services
from serve_app.http.wire.schemas import PlanOut, ReplicasOut, VariantOut, VariantsOut

router = APIRouter()


@router.get("/v1/variants")
async def list_variants(request: Request) -> Response:
    """Every pool that runs and every variant that the plan asks, running or not."""
    await principal(request)
    house = services(request)
    plan, pools = await asyncio.gather(house.records.active_plan(), house.pools())
    return answer(
        VariantsOut(
            None if plan is None else PlanOut(plan.name, plan.version),
            [_variant_out(pool, plan) for pool in _with_missing(pools, plan)],
        )
    )


def _with_missing(pools: list[Pool], plan: Plan | None) -> list[Pool]:
    running = {pool.variant for pool in pools}
    wanted = () if plan is None else plan.variants
    missing = [Pool(name, "MISSING", 0, 0, None) for name in wanted if name not in running]
    return sorted([*pools, *missing], key=lambda pool: pool.variant)


def _variant_out(pool: Pool, plan: Plan | None) -> VariantOut:
    members = () if plan is None else plan.members
    weight = next((m.weight for m in members if m.variant == pool.variant), None)
    role: Literal["voter", "anomaly", "unused"] = "unused"
    if weight is not None:
        role = "voter"
    elif plan is not None and plan.anomaly == pool.variant:
        role = "anomaly"
    replicas = ReplicasOut(pool.running, pool.starting)
    return VariantOut(pool.variant, role, weight, pool.app_status, pool.version, replicas)
