"""What led to an outcome: a probability, or an anomaly score alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fraud.combine.thresholds import APPROVE, Int8
from fraud.decision import OUTCOMES, Reason
from fraud.payment.batch import Float64
from fraud.plan import Thresholds
from fraud.reasons.catalogue import ANOMALY, MODEL_SCORE
from fraud.reasons.explain import TOP


@dataclass(frozen=True, slots=True)
class Causes:
    """Of n rows that were combined.

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
    def by_score(self) -> list[int]:
        """Rows that their probability led to an outcome other than `approve`."""
        rows: list[int] = self.outcome.nonzero()[0].tolist()
        return [i for i in rows if self.probability[i] >= self.thresholds.challenge]

    def reasons(
        self,
        pushes: Mapping[int, tuple[Reason, ...]],
        rules: Sequence[tuple[Reason, ...]] | None,
    ) -> list[tuple[Reason, ...]]:
        """Reasons of n rows, strongest first: () for `approve`, at least one for all others.

        What raised the probability of a payment is no reason where the probability did not count:
        one that is challenged for its anomaly score says that alone.

        Args:
            pushes: row -> reasons out of contributions.
            rules: of n rows, the rules that fire; None if nobody asked them.
        """
        found: list[tuple[Reason, ...]] = [()] * len(self.outcome)
        by_score = set(self.by_score)
        for i, outcome in enumerate(self.outcome.tolist()):
            if outcome == APPROVE:
                continue
            strange = self._strange(i)
            if i not in by_score:
                found[i] = strange or (self._score(i, outcome),)
                continue
            strongest = pushes.get(i) or (() if rules is None else rules[i])
            if not strongest and not strange:
                strongest = (self._score(i, outcome),)
            found[i] = (*strongest[: TOP - len(strange)], *strange)
        return found

    def _strange(self, i: int) -> tuple[Reason, ...]:
        """Said where the anomaly score alone would have challenged row i."""
        at = self.thresholds.anomaly_challenge
        if at is None or not self.anomaly[i] >= at:
            return ()
        said = (
            f"the payment as a whole is unlike others: its anomaly score is {self.anomaly[i]:.4g};"
            f" challenge begins at {at:.4g}"
        )
        return (Reason(ANOMALY, None, said, 0.0),)

    def _score(self, i: int, outcome: int) -> Reason:
        t = self.thresholds
        at = (0.0, t.challenge, t.review, t.block)[outcome]
        said = (
            f"the probability of fraud is {_digits(self.probability[i])};"
            f" {OUTCOMES[outcome]} begins at {_digits(at)}"
        )
        return Reason(MODEL_SCORE, None, said, 0.0)


def _digits(probability: float) -> str:
    return f"{probability:.4g}"
