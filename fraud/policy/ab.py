"""A/B/n: customers are split over arms by weight, and stay on their arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fraud.asking import Asking, Rows, Run
from fraud.ensemble import Settled
from fraud.policy.guard import Guard
from fraud.policy.interface import Policy
from fraud.policy.split import SLOTS, customer_slots, split

Slots = tuple[tuple[int, int], ...]
"""Ranges `first <= slot < end`, rising and apart."""

MOST_ARMS = 16
PERCENT = SLOTS // 100
"""Slots of one percent."""


@dataclass(frozen=True, slots=True)
class Arm:
    """A sub-policy and its share of the customers.

    Attributes:
        name: unique in its split.
        weight: percent of the customers, in hundredths at the finest; 0: none.
        policy: decides them.
        slots: its customers' slots; () until `AB.allocated`.
    """

    name: str
    weight: float
    policy: Policy
    slots: Slots = ()

    @property
    def n_slots(self) -> int:
        """Slots that its weight stands for."""
        return round(self.weight * PERCENT)


@dataclass(frozen=True, slots=True)
class AB:
    """Splits customers over arms. The first arm is the control.

    A customer's slot follows from the salt, its tenant and its id alone, so that it stays on its
    arm across restarts, replicas and machines. A change of weights moves only as many slots as it
    must: each version takes over the slots of the one before (`continued`).

    Attributes:
        arms: weights add up to 100.
        salt: another salt deals the customers anew.
        guard: when an arm is taken out; None: never.
    """

    kind: ClassVar[str] = "ab"
    arms: tuple[Arm, ...]
    salt: str = ""
    guard: Guard | None = None
    _arm_of: NDArray[np.intp] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len({arm.name for arm in self.arms}) != len(self.arms):
            raise ValueError("arms: expected each name once")
        if sum(arm.n_slots for arm in self.arms) != SLOTS:
            raise ValueError("arms: expected weights that add up to 100")
        if any(abs(arm.n_slots - arm.weight * PERCENT) > 1e-6 for arm in self.arms):
            raise ValueError("arms: expected weights of at most two decimals")
        if not any(arm.slots for arm in self.arms):
            object.__setattr__(self, "arms", _allocated(self.arms, np.full(SLOTS, -1)))
        arm_of = np.full(SLOTS, -1, dtype=np.intp)
        for i, arm in enumerate(self.arms):
            if sum(end - first for first, end in arm.slots) != arm.n_slots:
                raise ValueError("arms: expected as many slots as the weight stands for")
            for first, end in arm.slots:
                arm_of[first:end] = i
        if (arm_of < 0).any():
            raise ValueError("arms: expected every slot once")
        object.__setattr__(self, "_arm_of", arm_of)

    def run(self, asking: Asking, rows: Rows, arm: str) -> Run[list[Settled]]:
        """See `Policy`."""
        which = self._arm_of[customer_slots(asking, rows, self.salt)]
        return (yield from split(asking, rows, arm, self.children(), which))

    def children(self) -> Sequence[tuple[str, Policy]]:
        """See `Policy`."""
        return [(arm.name, arm.policy) for arm in self.arms]

    def mapped(self, change: Callable[[Any], Any]) -> AB:
        """See `Policy`."""
        return replace(
            self, arms=tuple(replace(arm, policy=change(arm.policy)) for arm in self.arms)
        )

    def continued(self, before: AB) -> AB:
        """Return the same split, with the slots of an earlier version as far as weights allow.

        Arms are the same if their names are. With another salt nothing is taken over.
        """
        if before.salt != self.salt:
            return self
        names = [arm.name for arm in self.arms]
        place = [names.index(arm.name) if arm.name in names else -1 for arm in before.arms]
        return replace(
            self, arms=_allocated(self.arms, np.array(place, dtype=np.intp)[before._arm_of])
        )

    def without(self, name: str) -> AB:
        """Return the split with an arm's customers given to the control."""
        lost = next(arm for arm in self.arms if arm.name == name)
        control = self.arms[0]
        arms = {
            name: replace(lost, weight=0.0, slots=()),
            control.name: replace(control, weight=round(control.weight + lost.weight, 2), slots=()),
        }
        changed = tuple(arms.get(arm.name, replace(arm, slots=())) for arm in self.arms)
        return replace(self, arms=changed).continued(self)

    def to_document(self) -> dict[str, Any]:
        """See `Policy`."""
        document: dict[str, Any] = {
            "kind": self.kind,
            "salt": self.salt,
            "arms": [
                {
                    "name": arm.name,
                    "weight": arm.weight,
                    "slots": [list(pair) for pair in arm.slots],
                    "plan": arm.policy.to_document(),
                }
                for arm in self.arms
            ],
        }
        if self.guard is not None:
            document["guard"] = self.guard.to_document()
        return document


def _allocated(arms: Sequence[Arm], before: NDArray[np.intp]) -> tuple[Arm, ...]:
    """Give each arm its slots.

    Args:
        before: intp[SLOTS]: the arm that each slot had; -1 for none. An arm keeps its lowest ones.
    """
    now = np.full(SLOTS, -1, dtype=np.intp)
    for i, arm in enumerate(arms):
        now[np.flatnonzero(before == i)[: arm.n_slots]] = i
    free = np.flatnonzero(now < 0)
    for i, arm in enumerate(arms):
        wanted = arm.n_slots - int((now == i).sum())
        now[free[:wanted]] = i
        free = free[wanted:]
    return tuple(
        replace(arm, slots=_ranges(np.flatnonzero(now == i))) for i, arm in enumerate(arms)
    )


def _ranges(slots: NDArray[np.intp]) -> Slots:
    """Return the ranges that some rising slots form."""
    if not slots.size:
        return ()
    breaks = np.flatnonzero(np.diff(slots) > 1) + 1
    return tuple((int(part[0]), int(part[-1]) + 1) for part in np.split(slots, breaks))
