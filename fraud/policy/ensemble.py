"""Everybody votes on everything."""

from __future__ import annotations

from fraud.plan import Plan
from fraud.policy.policy import Ask


class Ensemble:
    """Asks every member of the plan, and its anomaly variant, about every row."""

    def __init__(self, plan: Plan) -> None:
        self._asks = tuple(Ask(variant) for variant in plan.variants)

    def ask(self, n: int) -> tuple[Ask, ...]:
        return self._asks if n else ()
