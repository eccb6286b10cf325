"""Simulated decisions beside recorded ones, as compact columns: some fifty bytes a decision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deciding.simulation.simulated import UNDECIDED, Simulated
from decision_log.readers.recorded_decisions import RecordedDecisions
from fraud.decision import OUTCOMES
from fraud.payment.batch import Float64, Int64, TransactionBatch

BANDS = (10, 50, 100, 500, 1_000, 5_000, 10_000)
"""Where bands of amounts begin, in units of the payment's currency."""
BAND_NAMES = (
    f"below {BANDS[0]:,}",
    *(f"{low:,} to {high:,}" for low, high in pairwise(BANDS)),
    f"from {BANDS[-1]:,}",
)
UNKNOWN = "unknown"
"""In place of a value that a payment does not have."""
SEGMENTS = ("currency", "country", "type", "channel", "amount", "arm")
"""Columns that group decisions. `arm` is the way through the simulated plan."""

MOST_SAMPLES = 100

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Flip:
    """A decision that would have been another.

    Attributes:
        before, after: outcomes, recorded and simulated.
        probability_before, probability_after: of fraud, in [0, 1].
    """

    decision_id: str
    before: str
    after: str
    probability_before: float
    probability_after: float


@dataclass(frozen=True, slots=True)
class Columns:
    """n decisions that were simulated.

    Attributes:
        before, after: int8[n], outcomes as indices into `OUTCOMES`.
        amount_minor: int64[n], in minor units of the payment's currency.
        fraud: float64[n], 1 for fraud, 0 for genuine, NaN without a label.
        decided_ms, known_ms: int64[n], see `RecordedDecisions`.
        codes: segment -> int32[n], indices into the names of `Ledger.names`.
    """

    before: NDArray[np.int8]
    after: NDArray[np.int8]
    amount_minor: Int64
    fraud: Float64
    decided_ms: Int64
    known_ms: Int64
    codes: dict[str, NDArray[np.int32]]


class Ledger:
    """Gathers simulated decisions part by part.

    Attributes:
        undecided: rows that could not be simulated.
        by_rules: rows that rules decided.
        plans: recorded plan (name, version) -> rows.
        first_ms, last_ms: when the oldest and the newest row were decided; 0 without rows.
    """

    def __init__(self) -> None:
        self.undecided = self.by_rules = 0
        self.first_ms = self.last_ms = 0
        self.plans: dict[tuple[str, int], int] = {}
        self._codes: dict[str, dict[str, int]] = {segment: {} for segment in SEGMENTS}
        self._parts: list[tuple[NDArray[Any], ...]] = []
        self._flips: dict[tuple[int, int], list[Flip]] = {}

    def add(self, part: RecordedDecisions, found: Simulated) -> None:
        """Enter n >= 1 decisions."""
        first, last = int(part.decided_ms.min()), int(part.decided_ms.max())
        self.first_ms = min(self.first_ms or first, first)
        self.last_ms = max(self.last_ms, last)
        for plan in part.plan:
            self.plans[plan] = self.plans.get(plan, 0) + 1
        decided = found.outcome != UNDECIDED
        self.undecided += int((~decided).sum())
        self.by_rules += found.by_rules
        columns: tuple[NDArray[Any], ...] = (
            part.outcome,
            found.outcome,
            np.array(part.batch.amount_minor, np.int64),
            part.fraud,
            part.decided_ms,
            part.known_ms,
            *self._coded(part.batch, found.arm),
        )
        self._parts.append(tuple(column[decided] for column in columns))
        self._keep_flips(part, found, decided & (part.outcome != found.outcome))

    def columns(self) -> Columns:
        """Return everything that was simulated."""
        if not self._parts:
            none = np.empty(0, np.int64)
            return Columns(
                none.astype(np.int8),
                none.astype(np.int8),
                none,
                none.astype(float),
                none,
                none,
                {segment: none.astype(np.int32) for segment in SEGMENTS},
            )
        before, after, amount, fraud, decided, known, *codes = (
            np.concatenate(column) for column in zip(*self._parts, strict=True)
        )
        named = dict(zip(SEGMENTS, codes, strict=True))
        return Columns(before, after, amount, fraud, decided, known, named)

    def names(self, segment: str) -> list[str]:
        """Return the names behind the codes of a segment."""
        return list(self._codes[segment])

    def sample(self) -> list[Flip]:
        """Return at most `MOST_SAMPLES` flips: the newest of each kind, as many of each as there is
        room for."""
        left = [list(reversed(flips)) for _, flips in sorted(self._flips.items())]
        taken: list[Flip] = []
        while len(taken) < MOST_SAMPLES and any(left):
            for flips in left:
                if flips and len(taken) < MOST_SAMPLES:
                    taken.append(flips.pop())
        return taken

    def _coded(self, batch: TransactionBatch, arm: Sequence[str]) -> list[NDArray[np.int32]]:
        bands = np.searchsorted(np.array(BANDS) * 100, batch.amount_hundredths(), side="right")
        values: dict[str, Iterable[str | None]] = {
            "currency": batch.currency,
            "country": batch.country,
            "type": batch.type,
            "channel": batch.channel,
            "amount": [BAND_NAMES[band] for band in bands.tolist()],
            "arm": arm,
        }
        return [self._code(self._codes[segment], values[segment]) for segment in SEGMENTS]

    @staticmethod
    def _code(codes: dict[str, int], values: Iterable[str | None]) -> NDArray[np.int32]:
        names = [UNKNOWN if value is None else value for value in values]
        return np.array([codes.setdefault(name, len(codes)) for name in names], np.int32)

    def _keep_flips(self, part: RecordedDecisions, found: Simulated, flipped: Bools) -> None:
        for i in np.flatnonzero(flipped).tolist():
            before, after = int(part.outcome[i]), int(found.outcome[i])
            kept = self._flips.setdefault((before, after), [])
            if len(kept) < MOST_SAMPLES:
                kept.append(
                    Flip(
                        part.decision_id[i],
                        OUTCOMES[before].value,
                        OUTCOMES[after].value,
                        float(part.probability[i]),
                        float(found.probability[i]),
                    )
                )
