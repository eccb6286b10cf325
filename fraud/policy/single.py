"""One variant decides alone."""

from __future__ import annotations

from fraud.plan import Plan
from fraud.policy.policy import Ask


class Single:
    """Asks the plan's only member, and its anomaly variant, about every row."""

    def __init__(self, plan: Plan) -> None:
        (member,) = plan.members
        asks = [Ask(member.variant)]
        if plan.anomaly is not None:
            asks.append(Ask(plan.anomaly))
        self._asks = tuple(asks)

    def ask(self, n: int) -> tuple[Ask, ...]:
        return self._asks if n else ()
