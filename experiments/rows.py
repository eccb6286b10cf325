"""The decisions of an experiment as columns: what each side said, and what the labels say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from fraud.payment.batch import Float32, Float64, Int64
from fraud.policy.interface import STEP

Int8 = NDArray[np.int8]
Bool = NDArray[np.bool_]

UNKNOWN = -1
"""The label of a payment without one, and the outcome of a side that decides nothing."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What one side said to n payments: the plan, a shadow or one variant.

    Attributes:
        probability: float64[n], NaN where it gave no score.
        elapsed_ms: float32[n], the wait for its votes, NaN where unknown.
        outcome: int8[n], indices into `OUTCOMES`, `UNKNOWN` where it gave none; None for a
            variant, whose votes are no decisions.
        degraded: bool[n], whether it had less than it asks for; None for a variant.
    """

    probability: Float64
    elapsed_ms: Float32
    outcome: Int8 | None = None
    degraded: Bool | None = None

    @property
    def scored(self) -> Bool:
        """Where it gave a score, bool[n]."""
        return np.isfinite(self.probability)

    def take(self, rows: Int64 | Bool) -> Answers:
        """Return the answers to some rows."""
        return Answers(
            self.probability[rows],
            self.elapsed_ms[rows],
            None if self.outcome is None else self.outcome[rows],
            None if self.degraded is None else self.degraded[rows],
        )


@dataclass(frozen=True, slots=True)
class Rows:
    """n payments with the first decision on each, in the order of the decisions.

    Attributes:
        decided_ms: int64[n], milliseconds since the epoch, never falling.
        customer: int64[n], a number for each customer.
        amount: float64[n] in units of the payment's currency.
        label: int8[n], 1 fraud, 0 genuine, `UNKNOWN` without a label.
        known_ms: int64[n], when the label was both known and stored; -1 without a label.
        arm: int32[n], indices into `arms`.
        arms: the arms as records name them, such as `eur > challenger`.
        live: the decisions.
        variants: name in the plan -> its votes.
        shadows: name -> its answers.
    """

    decided_ms: Int64
    customer: Int64
    amount: Float64
    label: Int8
    known_ms: Int64
    arm: NDArray[np.int32]
    arms: tuple[str, ...]
    live: Answers
    variants: dict[str, Answers] = field(default_factory=dict)
    shadows: dict[str, Answers] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.decided_ms.size)

    def take(self, rows: Int64 | Bool) -> Rows:
        """Return some of the rows."""
        return replace(
            self,
            decided_ms=self.decided_ms[rows],
            customer=self.customer[rows],
            amount=self.amount[rows],
            label=self.label[rows],
            known_ms=self.known_ms[rows],
            arm=self.arm[rows],
            live=self.live.take(rows),
            variants={name: a.take(rows) for name, a in self.variants.items()},
            shadows={name: a.take(rows) for name, a in self.shadows.items()},
        )

    def in_arm(self, name: str) -> Bool:
        """Return which rows were decided by an arm, or by a part of it: bool[n]."""
        within = [is_within(arm, name) for arm in self.arms]
        return np.array(within, np.bool_)[self.arm] if within else np.zeros(len(self), np.bool_)


def is_within(arm: str, name: str) -> bool:
    """Return whether an arm is the one of this name, or a part of it."""
    return arm == name or arm.startswith(f"{name}{STEP}")
