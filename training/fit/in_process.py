"""Fitting a sample in this process. Tables and protocols fit small samples many times, and starting
Ray and its workers for each would take longer than the fits."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from training.config import TrainConfig
from training.export.fitted import Fitted
from training.fit.variants import isolation_forest, logistic, random_forest, xgboost
from training.fit.variants.boosting import boost
from training.sets.sample import Sample

_THREADS = 2


def fit_in_process(sample: Sample, config: TrainConfig) -> dict[str, Fitted]:
    """Fit every variant of `config`, two at a time. The models equal those of Ray with one worker.

    Raises:
        The error of a fit.
    """
    fits: dict[str, Callable[[], Fitted]] = {
        xgboost.NAME: lambda: _boosted(sample, config),
        random_forest.NAME: lambda: random_forest.fit(sample, config.random_forest, config.seed),
        logistic.NAME: lambda: logistic.fit(sample, config.logistic, config.seed),
        isolation_forest.NAME: lambda: isolation_forest.fit(
            sample, config.isolation_forest, config.seed
        ),
    }
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="fit") as pool:
        tasks = {name: pool.submit(fits[name]) for name in config.variants}
        return {name: task.result() for name, task in tasks.items()}


def _boosted(sample: Sample, config: TrainConfig) -> Fitted:
    state = boost(sample, slice(None), config.xgboost, config.seed)
    return xgboost.fitted_of(state.best(), config.xgboost, config.seed, state.losses)
