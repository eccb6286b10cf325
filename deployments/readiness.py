"""Readiness: what the Combiner says about itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether decisions can be made, and by which plan.

    Attributes:
        ready: whether they can.
        problems: why not, () if they can.
        missing: variants of the plan that have no pool: decisions are degraded, not absent.
        plan, plan_version: the plan that decides; "" and 0 if there is none.
        troubles: failures that do not stop decisions.
        plan_kept: the plan is this machine's copy, as PostgreSQL has not answered since the start.
            Another plan may be active.
    """

    ready: bool
    problems: tuple[str, ...]
    missing: tuple[str, ...]
    plan: str
    plan_version: int
    plan_kept: bool = False
    troubles: tuple[str, ...] = ()
