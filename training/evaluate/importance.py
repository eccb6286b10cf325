"""The importance of each feature to the ensemble, and inside XGBoost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fraud.payment.batch import Float32, Float64, Int64
from training.metrics.ranking import Ranking, average_precision
from training.sets.sample import thin

Scorer = Callable[[Float32], Float64]
"""float32[n, n_features] -> float64[n], as served."""

_BLOCK_CELLS = 8_000_000
_AT_LEAST_FRAUDS = 10


@dataclass(frozen=True, slots=True)
class ExplainedRows:
    """The test rows on which models are explained.

    Attributes:
        values: float32[n, n_features].
        fraud: float64[n], 1 for fraud, else 0.
        weight: float64[n], how many rows each represents.
    """

    values: Float32
    fraud: Float64
    weight: Float64


def draw_rows(
    values: Float32, rows: Int64, fraud: Float64, max_rows: int, seed: int
) -> ExplainedRows:
    """At most `max_rows` of the rows, a third of them frauds if there are enough.

    Args:
        values: float32[m, n_features] of all data.
        rows: int64[n], the rows to sample from.
        fraud: float64[n] of those rows.
    """
    rng = np.random.default_rng(seed)
    bad = np.flatnonzero(fraud > 0)
    kept = rng.choice(bad, max_rows // 3, replace=False) if bad.size > max_rows // 3 else bad
    pool = np.sort(np.concatenate([kept, np.flatnonzero(fraud <= 0)]))
    chosen, weight = thin(fraud[pool] > 0, max_rows, seed)
    chosen = pool[chosen]
    scale = np.where(fraud[chosen] > 0, bad.size / max(kept.size, 1), weight.astype(np.float64))
    return ExplainedRows(np.ascontiguousarray(values[rows[chosen]]), fraud[chosen], scale)


@dataclass(frozen=True, slots=True)
class PermutationDrop:
    """The loss of average precision when a column is shuffled.

    Attributes:
        column: its number.
        mean: over the repeats.
        spread: largest less smallest of the repeats.
    """

    column: int
    mean: float
    spread: float


def permutation_drops(
    score: Scorer, sample: ExplainedRows, columns: Sequence[int], repeats: int, seed: int
) -> tuple[PermutationDrop, ...]:
    """Permutation importance (Breiman 2001; Fisher, Rudin and Dominici 2019): each column is
    shuffled among the rows and the ensemble measured again. Largest loss first.

    Columns with nearly the same information replace each other, so that each alone seems to matter
    little: a low figure does not prove a column useless.

    Args:
        columns: the columns to shuffle.
        repeats: shuffles of each column, >= 1.

    Returns:
        () with fewer than ten frauds in the sample, which would be noise.
    """
    if sample.fraud.sum() < _AT_LEAST_FRAUDS:
        return ()
    rng = np.random.default_rng(seed)
    n = len(sample.fraud)
    whole = _precision(score(sample.values), sample)
    turns = [(column, rng.permutation(n)) for column in columns for _ in range(repeats)]
    at_once = max(1, _BLOCK_CELLS // max(sample.values.size, 1))
    lost: list[float] = []
    for start in range(0, len(turns), at_once):
        block = turns[start : start + at_once]
        shuffled = np.tile(sample.values, (len(block), 1))
        for i, (column, order) in enumerate(block):
            shuffled[i * n : (i + 1) * n, column] = sample.values[order, column]
        parts = np.split(score(shuffled), len(block))
        lost.extend(whole - _precision(part, sample) for part in parts)
    each = np.array(lost).reshape(len(columns), repeats)
    drops = [
        PermutationDrop(int(column), float(row.mean()), float(np.ptp(row)))
        for column, row in zip(columns, each, strict=True)
    ]
    return tuple(sorted(drops, key=lambda drop: (-drop.mean, drop.column)))


def _precision(score: Float64, sample: ExplainedRows) -> float:
    ranking = Ranking(score, sample.fraud)
    return average_precision(ranking.steps(sample.weight[ranking.order]))


@dataclass(frozen=True, slots=True)
class BoostedImportance:
    """The importance of columns inside the boosted trees.

    Attributes:
        contribution: float64[n_features], mean absolute log-odds that the column adds to a
            payment (TreeSHAP: Lundberg, Erion and Lee 2018).
        gain: float64[n_features], share of the loss reduction by splits on the column; sums to 1
            unless there is no split.
    """

    contribution: Float64
    gain: Float64


def boosted_importance(ubj: bytes, sample: ExplainedRows, max_rows: int = 500) -> BoostedImportance:
    """Contributions and gain of an XGBoost model in UBJ form.

    Args:
        ubj: the model file.
        max_rows: contributions are measured on at most this many rows of the sample, weighted.
    """
    import xgboost as xgb

    booster = xgb.Booster({"nthread": 1}, model_file=bytearray(ubj))
    chosen, stands_for = thin(sample.fraud > 0, max_rows, seed=0)
    rows = xgb.DMatrix(sample.values[chosen], nthread=1)
    added = np.abs(booster.predict(rows, pred_contribs=True)[:, :-1]).astype(np.float64)
    weight = sample.weight[chosen] * stands_for
    gain = np.zeros(sample.values.shape[1])
    names = booster.feature_names or [f"f{i}" for i in range(gain.size)]
    for name, total in booster.get_score(importance_type="total_gain").items():
        gain[names.index(name)] = float(total)  # type: ignore[arg-type]
    return BoostedImportance(
        contribution=np.average(added, axis=0, weights=weight),
        gain=gain / gain.sum() if gain.sum() > 0 else gain,
    )
