"""Cross-fitting in the order of time, for data too short to hold slices back from fitting.

The rows before the test are cut by time. Each fold is scored by models fitted on the rows before
it; these scores choose the combiner, calibrate, and set the thresholds. Then every variant is
fitted once more, on all rows: on a short set the newest rows are worth more in the model than out
of it. What is published is that model, with the maps of its predecessors (Wolpert 1992 does so for
stacking; folds in the order of time because payments are not exchangeable).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from fraud.errors import NotTrainable
from fraud.payment.batch import Float64, Int64
from training.config import CrossFitConfig, TrainConfig
from training.export.fitted import Fitted
from training.export.scoring import raw_scores
from training.sets.dataset import Dataset
from training.sets.sample import Sample, draw_sample
from training.sets.split import FRAUD, UNKNOWN, Split

Fit = Callable[[Sample, TrainConfig], dict[str, Fitted]]
"""Fits every variant of a configuration on a sample."""


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """Models, and scores of rows by models that had not seen them.

    Attributes:
        models: variant -> fitted on all rows.
        rows: int64[m], the rows that were held back once, rising: all but the oldest.
        raw: variant -> float64[m] raw scores.
    """

    models: dict[str, Fitted]
    rows: Int64
    raw: dict[str, Float64]


def crossfit(
    dataset: Dataset,
    rows: Int64,
    config: TrainConfig,
    fit: Fit,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> CrossFitted:
    """Cross-fit every variant on `rows`.

    Boosting stops early on each held back fold; the last fit takes the mean of these rounds.

    Args:
        rows: int64[n], rising, all labelled.
        fit: fits one sample.
        told: fits done, and fits in all.

    Raises:
        NotTrainable: a fold, or what lies before it, holds too few frauds.
    """
    folds = cut(dataset, rows, config)
    held: list[Int64] = []
    raw: dict[str, list[Float64]] = {name: [] for name in config.variants}
    rounds: list[int] = []
    for number, (before, fold) in enumerate(folds):
        told(number, len(folds) + 1)
        models = fit(_sample(dataset, before, fold, config), config)
        x = np.ascontiguousarray(dataset.values[fold])
        for name, model in models.items():
            raw[name].append(raw_scores(model, x))
        if "xgboost" in models:
            rounds.append(int(models["xgboost"].parameters["trees"]))
        held.append(fold)
    told(len(folds), len(folds) + 1)
    # The held back rows are learnt from this time, so their loss only falls and stops nothing.
    last = _sample(dataset, rows, folds[-1][1], config)
    models = fit(last, _of_rounds(config, rounds))
    told(len(folds) + 1, len(folds) + 1)
    return CrossFitted(
        models, np.concatenate(held), {name: np.concatenate(parts) for name, parts in raw.items()}
    )


def cut(dataset: Dataset, rows: Int64, config: TrainConfig) -> list[tuple[Int64, Int64]]:
    """For each fold the rows that it is fitted on and the rows that it holds back.

    Folds hold equally many rows; a moment is never cut in two.
    """
    told: CrossFitConfig = config.cross_fit
    at_ms = dataset.timestamp_ms[rows]
    shares = np.linspace(told.first, 1.0, told.folds + 1)
    edges = [int(np.searchsorted(at_ms, at_ms[int(s * rows.size)])) for s in shares[:-1]]
    folds = []
    for start, end in pairwise([*edges, rows.size]):
        before, fold = rows[:start], rows[start:end]
        if told.label_delay and fold.size:
            known = dataset.known_at_ms[before] <= dataset.timestamp_ms[fold[0]]
            before = before[known]
        _check(dataset, before, config.split.min_train_frauds, "before")
        _check(dataset, fold, 1, "in")
        folds.append((before, fold))
    return folds


def cross_split(dataset: Dataset, split: Split) -> Split:
    """The split whose train part is everything before the test's gap that a label is known for.

    Its validation and calibration parts are those of `split` until `held_back` names the rows
    that took turns.
    """
    b = split.bounds
    inside = (dataset.timestamp_ms >= b.train_start_ms) & (
        dataset.timestamp_ms < b.calibration_end_ms
    )
    known = (dataset.label != UNKNOWN) & (dataset.known_at_ms <= b.test_start_ms)
    return replace(split, train=np.flatnonzero(inside & known), shared=True)


def held_back(split: Split, dataset: Dataset, rows: Int64) -> Split:
    """`split` with the rows that were held back in turn as validation and calibration part."""
    start, end = int(dataset.timestamp_ms[rows[0]]), int(dataset.timestamp_ms[rows[-1]]) + 1
    bounds = replace(
        split.bounds,
        train_end_ms=end,
        validation_start_ms=start,
        validation_end_ms=end,
        calibration_start_ms=start,
        calibration_end_ms=end,
    )
    return replace(split, validation=rows, calibration=rows, bounds=bounds, shared=True)


def _sample(dataset: Dataset, train: Int64, held: Int64, config: TrainConfig) -> Sample:
    return draw_sample(
        dataset.values,
        dataset.label,
        train,
        held,
        dataset.schema,
        config.max_training_rows,
        config.seed,
    )


def _of_rounds(config: TrainConfig, rounds: list[int]) -> TrainConfig:
    if not rounds:
        return config
    mean = max(1, round(float(np.mean(rounds))))
    boosted = config.xgboost.model_copy(update={"rounds": mean})
    return config.model_copy(update={"xgboost": boosted})


def _check(dataset: Dataset, rows: Int64, least: int, where: str) -> None:
    frauds = int((dataset.label[rows] == FRAUD).sum())
    if frauds < least or frauds == rows.size:
        raise NotTrainable(
            f"{rows.size} labelled rows {where} a fold hold {frauds} frauds, and need {least} and"
            ' other rows: fewer folds (cross_fit.folds), or cross_fit.use = "never"'
        )
