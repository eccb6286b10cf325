"""The one-rule baseline: the fraud that the best single feature finds (after Holte 1993).

A model that does not clearly beat one threshold on one column is not worth maintaining.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float32, Float64
from training.metrics.ranking import Ranking, average_precision
from training.sets.sample import thin

ONE_RULE = "one-rule"
_MAX_ROWS = 60_000
_LOWEST = float(np.finfo(np.float32).min)


@dataclass(frozen=True, slots=True)
class OneRule:
    """A ranking of payments by one column.

    Attributes:
        feature, column: name and number of the column.
        rising: high values are suspicious; otherwise low values are.
        threshold: the value from which payments are reviewed at the given rate.
        rate: the approximate share of validation payments beyond the threshold.
        average_precision: on the rows on which the rule was chosen.
    """

    feature: str
    column: int
    rising: bool
    threshold: float
    rate: float
    average_precision: float

    def score(self, values: Float32) -> Float64:
        """Scores float64[n] of rows float32[n, n_features]; higher is more suspicious, NaN ranks
        last."""
        return _oriented(values[:, self.column], self.rising)

    def sentence(self) -> str:
        """The rule in words."""
        side = "at least" if self.rising else "at most"
        return f"{self.feature} {side} {self.threshold:.6g}"


def one_rule(
    values: Float32,
    fraud: Float64,
    names: Sequence[str],
    categorical: Sequence[int],
    rate: float = 0.01,
    seed: int = 0,
) -> OneRule:
    """The column and direction with the best average precision; of equals, the first.

    Columns of codes are left out, as their order has no meaning.

    Args:
        values: float32[n, n_features] of the rows to choose on, NaN where unknown; of more than
            60,000 rows every fraud and a sample of the others is used.
        fraud: float64[n], 1 for fraud, else 0.
        names: n_features names.
        rate: review rate of the threshold, in (0, 1).

    Raises:
        ValueError: there is no numeric column with a known value.
    """
    precision = single_column_precision(values, fraud, categorical, seed)
    if not precision.size or not np.isfinite(precision).any():
        raise ValueError("one rule: there is no numeric column")
    column, falling = np.unravel_index(int(np.nanargmax(precision)), precision.shape)
    rising = not falling
    score = _oriented(values[:, column], rising)
    known = np.sort(score[score > _LOWEST])[::-1]
    edge = float(known[min(max(int(np.ceil(rate * score.size)), 1), known.size) - 1])
    return OneRule(
        feature=names[int(column)],
        column=int(column),
        rising=rising,
        threshold=edge if rising else -edge,
        rate=rate,
        average_precision=float(precision[column, int(falling)]),
    )


def single_column_precision(
    values: Float32, fraud: Float64, categorical: Sequence[int], seed: int = 0
) -> Float64:
    """The average precision of each column alone: float64[n_features, 2], high values first and low
    values first; NaN for columns of codes and empty columns."""
    rows, weight = thin(fraud > 0, _MAX_ROWS, seed)
    found = np.full((values.shape[1], 2), np.nan)
    chosen = np.asarray(values[rows]).T
    for column in sorted(set(range(values.shape[1])) - set(categorical)):
        if np.isfinite(chosen[column]).any():
            found[column] = [
                _precision(_oriented(chosen[column], rising), fraud[rows], weight)
                for rising in (True, False)
            ]
    return found


def _precision(score: Float64, fraud: Float64, weight: Float32) -> float:
    ranking = Ranking(score, fraud)
    return average_precision(ranking.steps(weight.astype(np.float64)[ranking.order]))


def _oriented(cells: Float32, rising: bool) -> Float64:
    score = np.asarray(cells, np.float64) * (1 if rising else -1)
    return np.where(np.isfinite(score), score, _LOWEST)
