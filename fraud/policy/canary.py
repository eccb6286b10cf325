"""Canary: a sub-policy that gets a growing share of the customers, and back to none if it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fraud.asking import Asking, Rows, Run
from fraud.ensemble import Settled
from fraud.policy.guard import Guard
from fraud.policy.interface import Policy
from fraud.policy.split import SLOTS, customer_slots, split

STEPS = (1.0, 5.0, 25.0, 50.0, 100.0)
"""Percent of the customers, step by step, if a plan states no steps."""

PROMOTE = "promote"
"""What a report must recommend before a canary that waits for it takes its next step."""

BASELINE, CANARY = "baseline", "canary"


@dataclass(frozen=True, slots=True)
class Advance:
    """When a canary takes its next step; neither is set: an operator takes it.

    Attributes:
        after_minutes: this long after the last step, > 0.
        on_promote: as soon as the report recommends to promote the canary.
    """

    after_minutes: float | None = None
    on_promote: bool = False


@dataclass(frozen=True, slots=True)
class Canary:
    """Gives `steps[step]` percent of the customers to a canary, the others to the baseline.

    Who is on the canary stays on it while its share grows.

    Attributes:
        baseline, canary: sub-policies.
        steps: percent of the customers, rising, in (0, 100].
        step: index of the present step; None: stopped, nobody is on the canary.
        salt: another salt deals the customers anew.
        advance: when the next step is taken.
        guard: when the canary is stopped; None: never by itself.
    """

    kind: ClassVar[str] = "canary"
    baseline: Policy
    canary: Policy
    steps: tuple[float, ...] = STEPS
    step: int | None = 0
    salt: str = ""
    advance: Advance = Advance()
    guard: Guard | None = None

    def __post_init__(self) -> None:
        rising = list(self.steps) == sorted(set(self.steps))
        if not self.steps or not rising or not 0 < self.steps[0] <= self.steps[-1] <= 100:
            raise ValueError("steps: expected percentages that rise, above 0 and at most 100")
        if self.step is not None and not 0 <= self.step < len(self.steps):
            raise ValueError("step: expected the index of a step, from 0")

    @property
    def share(self) -> float:
        """Percent of the customers that are on the canary."""
        return 0.0 if self.step is None else self.steps[self.step]

    def run(self, asking: Asking, rows: Rows, arm: str) -> Run[list[Settled]]:
        """See `Policy`."""
        below = round(self.share / 100 * SLOTS)
        which = (customer_slots(asking, rows, self.salt) < below).astype(np.intp)
        return (yield from split(asking, rows, arm, self.children(), which))

    def children(self) -> Sequence[tuple[str, Policy]]:
        """See `Policy`."""
        return [(BASELINE, self.baseline), (CANARY, self.canary)]

    def mapped(self, change: Callable[[Any], Any]) -> Canary:
        """See `Policy`."""
        return replace(self, baseline=change(self.baseline), canary=change(self.canary))

    def to_document(self) -> dict[str, Any]:
        """See `Policy`."""
        document: dict[str, Any] = {
            "kind": self.kind,
            "salt": self.salt,
            "baseline": self.baseline.to_document(),
            "canary": self.canary.to_document(),
            "steps": list(self.steps),
            "step": self.step,
        }
        if self.advance.on_promote:
            document["advance"] = {"on": PROMOTE}
        elif self.advance.after_minutes is not None:
            document["advance"] = {"after_minutes": self.advance.after_minutes}
        if self.guard is not None:
            document["guard"] = self.guard.to_document()
        return document
