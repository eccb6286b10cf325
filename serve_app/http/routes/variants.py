"""GET /v1/variants: the pools, and their parts in the caller's active plan."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct

from fraud.plan import Plan
from fraud.policy.tree import variants_of
from fraud.variant import HOUSE, VariantRef
from serve_app.gateway.pool import Pool
from serve_app.http.route import Answer, Call, Route
from serve_app.http.wire.schemas import PlanOut


class ReplicasOut(Struct, gc=False):
    """The size of a pool."""

    running: int
    starting: int


Role = Literal["voter", "anomaly", "shadow", "unused"]


class UseOut(Struct, gc=False):
    """One place in the active plan that asks a variant."""

    arm: Annotated[str, Meta(description="the way there, as in a decision's plan; or the shadow")]
    role: Role
    weight: float | None


class VariantOut(Struct, gc=False):
    """A pool of model replicas and its parts in the active plan."""

    name: Annotated[str, Meta(description="as plans name it: [tenant/]variant[@version]")]
    role: Annotated[Role, Meta(description="the first that holds anywhere in the plan")]
    weight: Annotated[float | None, Meta(description="where it votes first")]
    uses: list[UseOut]
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
                        "uses": [{"arm": "", "role": "voter", "weight": 0.5}],
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
    """Return every pool of the house and of the caller's tenant, and every variant that the plan
    asks, running or not."""
    stored, pools = await asyncio.gather(
        call.services.plans.deciding(call.tenant), call.services.pools()
    )
    plan = None if stored is None else stored.plan()
    uses = {} if plan is None else _uses(plan)
    own = [pool for pool in pools if VariantRef.parse(pool.variant).owner in (HOUSE, call.tenant)]
    return VariantsOut(
        None if plan is None else PlanOut(plan.name, plan.version),
        [_variant_out(pool, uses.get(pool.variant, [])) for pool in _with_missing(own, uses)],
    )


def _uses(plan: Plan) -> dict[str, list[UseOut]]:
    """Return where a plan asks each variant."""
    found: dict[str, list[UseOut]] = {}
    for arm, ensemble in plan.leaves():
        for member in ensemble.members:
            found.setdefault(member.variant, []).append(UseOut(arm, "voter", member.weight))
        if ensemble.anomaly is not None:
            found.setdefault(ensemble.anomaly, []).append(UseOut(arm, "anomaly", None))
    for name, policy in plan.shadows():
        for variant in variants_of(policy):
            found.setdefault(variant, []).append(UseOut(name, "shadow", None))
    return found


def _with_missing(pools: list[Pool], wanted: Iterable[str]) -> list[Pool]:
    running = {pool.variant for pool in pools}
    missing = [Pool(name, "MISSING", 0, 0, None) for name in wanted if name not in running]
    return sorted([*pools, *missing], key=lambda pool: pool.variant)


def _variant_out(pool: Pool, uses: list[UseOut]) -> VariantOut:
    roles = {use.role for use in uses}
    role: Role = next((r for r in get_args(Role) if r in roles), "unused")
    weight = next((use.weight for use in uses if use.role == "voter"), None)
    replicas = ReplicasOut(pool.running, pool.starting)
    return VariantOut(pool.variant, role, weight, uses, pool.app_status, pool.version, replicas)
