"""How far the labels of payments are known, and which payments figures rest on.

A payment counts once it is older than labels usually take, and has a label. Younger payments do not
count even with a label: frauds become known before genuine payments do, and figures of young
payments would show too much fraud. A payment without a label is left out, as training does
(`training.sets.split`), or counts as genuine, if the caller says that only frauds are labelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from experiments.reading.reader import LabelDelay
from experiments.rows import UNKNOWN, Bool, Rows
from fraud.payment.batch import Float64, Int64

DAY_MS: Final = 86_400_000
ASSUMED_DAYS: Final = 30
"""How long labels take, as long as a tenant has no label of fraud to measure it on."""

_UNITS_MS = (DAY_MS, 3_600_000, 60_000)

Unlabelled = Literal["excluded", "genuine"]
"""What a payment without a label counts as, once it is old enough."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The age from which a payment counts.

    Attributes:
        ms: milliseconds since its decision.
        source: `measured` on the tenant's labels, `given` by the caller, or `assumed`.
        delay: of the tenant's labels.
    """

    ms: int
    source: Literal["measured", "given", "assumed"]
    delay: LabelDelay

    @classmethod
    def of(cls, delay: LabelDelay, days: float | None) -> Waiting:
        """Return `days`, or else the time within which nine of ten frauds were known, rounded up to
        whole days, hours or minutes: so that it hardly changes from one look to the next."""
        if days is not None:
            return cls(round(days * DAY_MS), "given", delay)
        if delay.usual_ms is None:
            return cls(ASSUMED_DAYS * DAY_MS, "assumed", delay)
        usual_ms = max(delay.usual_ms, 0)
        unit = next((unit for unit in _UNITS_MS if usual_ms >= unit), _UNITS_MS[-1])
        return cls(-(-usual_ms // unit) * unit, "measured", delay)


@dataclass(frozen=True, slots=True)
class Known:
    """The payments that count, in the order in which they began to: m of n rows.

    A payment enters when it is old enough and its label is stored, whichever is later. So what was
    seen at an earlier look is the beginning of what is seen now, as confidence sequences need.

    Attributes:
        rows: int64[m], indices of rows.
        at_ms: int64[m], when each entered, milliseconds since the epoch, never falling.
        fraud: float64[m], 1 for fraud, else 0.
    """

    rows: Int64
    at_ms: Int64
    fraud: Float64

    @classmethod
    def of(cls, rows: Rows, waiting_ms: int, now_ms: int, unlabelled: Unlabelled) -> Known:
        """Return the payments that count by now."""
        old_ms = rows.decided_ms + waiting_ms
        entered = np.maximum(old_ms, rows.known_ms)
        counts = (rows.label != UNKNOWN) & (entered <= now_ms)
        if unlabelled == "genuine":
            counts |= (rows.label == UNKNOWN) & (old_ms <= now_ms)
        chosen = np.flatnonzero(counts)
        chosen = chosen[np.lexsort((rows.decided_ms[chosen], entered[chosen]))]
        return cls(chosen, entered[chosen], (rows.label[chosen] == 1).astype(np.float64))

    def within(self, mask: Bool) -> Known:
        """Return those among the rows that `mask`, bool[n], marks."""
        kept = mask[self.rows]
        return Known(self.rows[kept], self.at_ms[kept], self.fraud[kept])


@dataclass(frozen=True, slots=True)
class Maturity:
    """How far the labels behind some figures are known.

    Attributes:
        decisions: number of decisions.
        old_enough: of these, older than labels usually take.
        labelled: of those, with a label.
        counted: payments that figures rest on.
        frauds: of these.
    """

    decisions: int
    old_enough: int
    labelled: int
    counted: int
    frauds: int

    @classmethod
    def of(cls, rows: Rows, mask: Bool, known: Known, waiting_ms: int, now_ms: int) -> Maturity:
        """Count.

        Args:
            mask: bool[n], the decisions.
            known: the payments that count, among them.
        """
        old = mask & (rows.decided_ms + waiting_ms <= now_ms)
        return cls(
            decisions=int(mask.sum()),
            old_enough=int(old.sum()),
            labelled=int((old & (rows.label != UNKNOWN)).sum()),
            counted=int(known.rows.size),
            frauds=int(known.fraud.sum()),
        )
