"""Which reasons a decision carries: from contributions, from rules, or its anomaly score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fraud.combine.thresholds import APPROVE, Int8
from fraud.decision import OUTCOMES, Reason
from fraud.ensemble import Thresholds
from fraud.payment.batch import Float64
from fraud.reasons.catalogue import ANOMALY, MODEL_SCORE
from fraud.reasons.writer import TOP


@dataclass(frozen=True, slots=True)
class ReasonSelection:
    """Selects the reasons of n rows that were combined.

    Attributes:
        thresholds: the plan's.
        probability, anomaly: float64[n], NaN where there is none.
        outcome: int8[n].
    """

    thresholds: Thresholds
    probability: Float64
    anomaly: Float64
    outcome: Int8

    @property
    def rows_by_score(self) -> list[int]:
        """Rows whose probability led to an outcome other than `approve`."""
        rows: list[int] = self.outcome.nonzero()[0].tolist()
        return [i for i in rows if self.probability[i] >= self.thresholds.challenge]

    def reasons(
        self,
        contributions: Mapping[int, tuple[Reason, ...]],
        rules: Sequence[tuple[Reason, ...]] | None,
    ) -> list[tuple[Reason, ...]]:
        """Return reasons of n rows, strongest first: () for `approve`, at least one for others.

        A payment that is challenged only for its anomaly score carries that reason alone, because
        its probability did not count.

        Args:
            contributions: row -> reasons from what features added to its score.
            rules: for each of the n rows, the rules that fired; None if they were not applied.
        """
        found: list[tuple[Reason, ...]] = [()] * len(self.outcome)
        by_score = set(self.rows_by_score)
        for i, outcome in enumerate(self.outcome.tolist()):
            if outcome == APPROVE:
                continue
            anomaly = self._anomaly_reasons(i)
            if i not in by_score:
                found[i] = anomaly or (self._score_reason(i, outcome),)
                continue
            strongest = contributions.get(i) or (() if rules is None else rules[i])
            if not strongest and not anomaly:
                strongest = (self._score_reason(i, outcome),)
            found[i] = (*strongest[: TOP - len(anomaly)], *anomaly)
        return found

    def _anomaly_reasons(self, i: int) -> tuple[Reason, ...]:
        """One reason if the anomaly score alone would have challenged row i."""
        at = self.thresholds.anomaly_challenge
        if at is None or not self.anomaly[i] >= at:
            return ()
        detail = (
            f"the payment as a whole is unlike others: its anomaly score is {self.anomaly[i]:.4g};"
            f" challenge begins at {at:.4g}"
        )
        return (Reason(ANOMALY, None, detail, 0.0),)

    def _score_reason(self, i: int, outcome: int) -> Reason:
        t = self.thresholds
        at = (0.0, t.challenge, t.review, t.block)[outcome]
        detail = (
            f"the probability of fraud is {self.probability[i]:.4g};"
            f" {OUTCOMES[outcome]} begins at {at:.4g}"
        )
        return Reason(MODEL_SCORE, None, detail, 0.0)
