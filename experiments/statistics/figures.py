"""The figures of one side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments.rows import UNKNOWN, Answers
from experiments.statistics.losses import losses
from experiments.statistics.outcomes import reviewed
from experiments.statistics.ranking import Ranking
from fraud.costs import Costs
from fraud.decision import OUTCOMES
from fraud.payment.batch import Float64

_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one side; None where there is nothing to measure.

    Attributes:
        average_precision: of its probabilities.
        review_rate: the share of payments at which `recall_at_review` is measured.
        recall_at_review: the share of fraud among the `review_rate` of payments that it finds most
            suspicious.
        frauds_stopped, genuine_interrupted, value_caught, cost, brier: see
            `experiments.statistics.losses.losses`.
        value_caught_share: the share of the amounts of all frauds that it stopped.
        calibration_error: see `Ranking.calibration_error`.
        latency_p50_ms, latency_p95_ms: the wait for votes.
        outcomes: outcome -> share of its decisions.
        degraded: share of decisions that had less than they ask for.
        calibration: mean probability and share of fraud by bins, from the highest down.
    """

    average_precision: float | None
    review_rate: float | None
    recall_at_review: float | None
    frauds_stopped: float | None
    genuine_interrupted: float | None
    value_caught: float | None
    value_caught_share: float | None
    cost: float | None
    brier: float | None
    calibration_error: float | None
    latency_p50_ms: float | None
    latency_p95_ms: float | None
    outcomes: dict[str, float] | None
    degraded: float | None
    calibration: tuple[tuple[float, float], ...] = ()

    def numbers(self) -> dict[str, float]:
        """Return every figure that is one number, by name; shares of outcomes as
        `outcome_<name>`."""
        found = {name: getattr(self, name) for name in NUMBERS}
        found |= {f"outcome_{name}": share for name, share in (self.outcomes or {}).items()}
        return {name: value for name, value in found.items() if value is not None}


NUMBERS = tuple(
    name for name in Figures.__dataclass_fields__ if name not in ("outcomes", "calibration")
)
"""The figures that are one number."""


def figures(
    every: Answers,
    counted: Answers,
    fraud: Float64,
    amount: Float64,
    costs: Costs | None,
    review_rate: float | None,
) -> Figures:
    """Measure one side.

    Args:
        every: its answers to all of its payments; latency, outcomes and `degraded` need no labels.
        counted: its answers to the m payments that count, all with a score.
        fraud: float64[m], 1 for fraud, else 0.
        amount: float64[m] in currency units.
        review_rate: see Figures; None: unknown.
    """
    means: dict[str, float] = {}
    value_share = None
    ranking = Ranking(counted.probability, fraud) if fraud.size else None
    if ranking is not None:
        found = losses(counted, fraud, amount, costs)
        means = {name: loss.mean for name, loss in found.items()}
        lost = float((fraud * amount).sum())
        if "value_caught" in found and lost > 0:
            value_share = float(found["value_caught"].value.sum()) / lost
    waits = every.elapsed_ms[np.isfinite(every.elapsed_ms)]
    p50, p95 = np.quantile(waits, [0.5, 0.95]).tolist() if waits.size else (None, None)
    decided = every.outcome is not None and bool((every.outcome != UNKNOWN).any())
    return Figures(
        average_precision=None if ranking is None else number(ranking.average_precision()),
        review_rate=number(review_rate),
        recall_at_review=(
            None
            if ranking is None or review_rate is None
            else number(ranking.recall_at(review_rate))
        ),
        frauds_stopped=number(means.get("frauds_stopped")),
        genuine_interrupted=number(means.get("genuine_interrupted")),
        value_caught=number(means.get("value_caught")),
        value_caught_share=number(value_share),
        cost=number(means.get("cost")),
        brier=number(means.get("brier")),
        calibration_error=None if ranking is None else number(ranking.calibration_error()),
        latency_p50_ms=number(p50),
        latency_p95_ms=number(p95),
        outcomes=_outcomes(every) if decided else None,
        degraded=(
            None
            if every.degraded is None or not len(every.degraded)
            else number(float(every.degraded.mean()))
        ),
        calibration=() if ranking is None else _calibration(ranking),
    )


def review_rate_of(answers: Answers) -> float | None:
    """Return the share of decisions to review or block; None without decisions."""
    if answers.outcome is None or not answers.outcome.size:
        return None
    return float(reviewed(answers.outcome).mean())


def number(value: float | None) -> float | None:
    """Return a figure as documents have it: rounded, None for NaN."""
    return None if value is None or not np.isfinite(value) else round(float(value), _DIGITS)


def _outcomes(answers: Answers) -> dict[str, float]:
    assert answers.outcome is not None
    decided = answers.outcome[answers.outcome != UNKNOWN]
    counts = np.bincount(decided, minlength=len(OUTCOMES)) / decided.size
    return {
        outcome.value: round(share, _DIGITS)
        for outcome, share in zip(OUTCOMES, counts.tolist(), strict=True)
    }


def _calibration(ranking: Ranking) -> tuple[tuple[float, float], ...]:
    predicted, observed = ranking.calibration()
    return tuple(
        (round(p, _DIGITS), round(o, _DIGITS))
        for p, o in zip(predicted.tolist(), observed.tolist(), strict=True)
    )
