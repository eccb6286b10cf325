"""Shadow: sub-policies that are asked beside the one that decides, and change nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from fraud.asking import Asking, Rows, Run, taken
from fraud.ensemble import Settled
from fraud.policy.interface import Policy
from fraud.policy.split import SLOTS, payment_slots

MOST_SHADOWS = 8


@dataclass(frozen=True, slots=True)
class ShadowPolicy:
    """A sub-policy that is asked in the shadow.

    Attributes:
        name: unique in its plan.
        policy: what is asked.
        share: percent of the payments that it is asked about, in (0, 100].
    """

    name: str
    policy: Policy
    share: float = 100.0


@dataclass(frozen=True, slots=True)
class Shadow:
    """Lets one sub-policy decide, and asks others about the same payments.

    Shadows are asked once the decision is made. They are recorded, never awaited, and dropped first
    under load.

    Attributes:
        policy: decides.
        shadows: are asked beside it.
    """

    kind: ClassVar[str] = "shadow"
    policy: Policy
    shadows: tuple[ShadowPolicy, ...]

    def __post_init__(self) -> None:
        if len({shadow.name for shadow in self.shadows}) != len(self.shadows):
            raise ValueError("shadows: expected each name once")

    def run(self, asking: Asking, rows: Rows, arm: str) -> Run[list[Settled]]:
        """See `Policy`."""
        for shadow in self.shadows:
            own = rows
            if shadow.share < 100:
                sampled = payment_slots(asking, rows, shadow.name) < shadow.share / 100 * SLOTS
                own = taken(rows, np.flatnonzero(sampled))
            if own is None or own.size:
                asking.shadows.append((shadow.name, shadow.policy, own))
        return (yield from self.policy.run(asking, rows, arm))

    def children(self) -> Sequence[tuple[str, Policy]]:
        """See `Policy`."""
        return [("", self.policy)]

    def mapped(self, change: Callable[[Any], Any]) -> Shadow:
        """See `Policy`."""
        return replace(self, policy=change(self.policy))

    def to_document(self) -> dict[str, Any]:
        """See `Policy`."""
        return {
            "kind": self.kind,
            "plan": self.policy.to_document(),
            "shadows": [
                {"name": s.name, "share": s.share, "plan": s.policy.to_document()}
                for s in self.shadows
            ],
        }
