"""Cross-fitting in the order of time, for data sets too small to hold slices back from fitting.

The rows before the test are cut into folds by time. Each fold is scored by models fitted on the
rows before it. These scores choose the combining method, calibrate, and set the thresholds. Then
every variant is fitted once more, on all rows: in a small set the newest rows are worth more inside
the model than outside. The published model is that last one, with the calibration of its
predecessors (Wolpert 1992 does so for stacking). Folds follow time because payments are not
exchangeable.
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
    """Models, and scores of rows by earlier models that had not seen them.

    Attributes:
        models: variant -> fitted on all rows.
        rows: int64[m], rising: the rows that were held back once, which are all but the oldest.
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
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> CrossFitted:
    """Cross-fit every variant on `rows`.

    Boosting stops early on each held-back fold; the last fit uses the mean of these rounds.

    Args:
        rows: int64[n], rising, all labelled.
        fit: fits one sample.
        progress: called with the fits done and the total.

    Raises:
        NotTrainable: a fold, or the rows before it, hold too few frauds.
    """
    folds = cut(dataset, rows, config)
    held: list[Int64] = []
    raw: dict[str, list[Float64]] = {name: [] for name in config.variants}
    rounds: list[int] = []
    for number, (before, fold) in enumerate(folds):
        progress(number, len(folds) + 1)
        models = fit(sample_rows(dataset, before, fold, config), config)
        x = np.ascontiguousarray(dataset.values[fold])
        for name, model in models.items():
            raw[name].append(raw_scores(model, x))
        if "xgboost" in models:
            rounds.append(int(models["xgboost"].parameters["trees"]))
        held.append(fold)
    progress(len(folds), len(folds) + 1)
    # These rows are now trained on: their loss only falls, so early stopping does nothing.
    last = sample_rows(dataset, rows, folds[-1][1], config)
    models = fit(last, _of_rounds(config, rounds))
    progress(len(folds) + 1, len(folds) + 1)
    return CrossFitted(
        models, np.concatenate(held), {name: np.concatenate(parts) for name, parts in raw.items()}
    )


def cut(dataset: Dataset, rows: Int64, config: TrainConfig) -> list[tuple[Int64, Int64]]:
    """For each fold the rows to fit on and the rows held back.

    Folds hold equally many rows; rows of one moment stay together.
    """
    cross_fit: CrossFitConfig = config.cross_fit
    at_ms = dataset.timestamp_ms[rows]
    shares = np.linspace(cross_fit.first, 1.0, cross_fit.folds + 1)
    edges = [int(np.searchsorted(at_ms, at_ms[int(s * rows.size)])) for s in shares[:-1]]
    folds = []
    for start, end in pairwise([*edges, rows.size]):
        before, fold = rows[:start], rows[start:end]
        if cross_fit.label_delay and fold.size:
            known = dataset.known_at_ms[before] <= dataset.timestamp_ms[fold[0]]
            before = before[known]
        _check(dataset, before, config.split.min_train_frauds, "before")
        _check(dataset, fold, 1, "in")
        folds.append((before, fold))
    return folds


def cross_split(dataset: Dataset, split: Split) -> Split:
    """The split whose train part is every row before the test's gap with a known label.

    Its validation and calibration parts are those of `split` until `held_back` replaces them.
    """
    b = split.bounds
    inside = (dataset.timestamp_ms >= b.train_start_ms) & (
        dataset.timestamp_ms < b.calibration_end_ms
    )
    known = (dataset.label != UNKNOWN) & (dataset.known_at_ms <= b.test_start_ms)
    return replace(split, train=np.flatnonzero(inside & known), shared=True)


def with_held_back(split: Split, dataset: Dataset, rows: Int64) -> Split:
    """`split` with the rows that were held back in turn as its validation and calibration parts."""
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


def sample_rows(dataset: Dataset, train: Int64, held: Int64, config: TrainConfig) -> Sample:
    """A sample with the training rows `train`, thinned if they are too many, and the held-back rows
    `held`."""
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
            f"{rows.size} labelled rows {where} a fold hold {frauds} frauds; at least {least} and"
            " some other rows are needed: set fewer folds (cross_fit.folds), or cross_fit.use ="
            ' "never"'
        )
