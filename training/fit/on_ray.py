"""Fitting all variants at the same time: XGBoost with Ray Train, the others as Ray tasks."""

from __future__ import annotations

import math
from collections.abc import Callable

import ray
from ray.exceptions import RayTaskError

from training.config import TrainConfig
from training.export.fitted import Fitted
from training.fit.variants import isolation_forest, logistic, random_forest, xgboost
from training.run_storage import RunStorage
from training.sets.sample import Sample

# Shares of half of all CPUs; the other half is for XGBoost. All fits get resources at once, so that
# none waits for another; the operating system schedules them.
_SHARES = {random_forest.NAME: 0.4, logistic.NAME: 0.3, isolation_forest.NAME: 0.3}


def fit_on_ray(
    sample: Sample, config: TrainConfig, storage: RunStorage, fitted: Callable[[str], None]
) -> dict[str, Fitted]:
    """Fit every variant of `config` on the connected Ray.

    The rows go into the object store once; workers of one machine map the same memory.

    Args:
        storage: for the checkpoints of Ray Train.
        fitted: called with the name of each variant when it is done.

    Raises:
        The error of a fit; the other fits are cancelled.
    """
    rows = ray.put(sample)
    half = ray.cluster_resources()["CPU"] / 2  # type: ignore[no-untyped-call]
    tasks = {
        name: _task.options(num_cpus=_cpus(_SHARES[name] * half)).remote(name, rows, config)
        for name in config.variants
        if name in _SHARES
    }
    try:
        done: dict[str, Fitted] = {}
        if xgboost.NAME in config.variants:
            cpus = _cpus(half / config.xgboost.workers)
            done[xgboost.NAME] = xgboost.fit(rows, config.xgboost, config.seed, storage, cpus)
            fitted(xgboost.NAME)
        for name, task in tasks.items():
            done[name] = ray.get(task)
            fitted(name)
    except BaseException as error:
        for task in tasks.values():
            ray.cancel(task, force=True)
        if isinstance(error, RayTaskError):
            raise error.cause from error  # the cause, without the remote traceback
        raise
    return {name: done[name] for name in config.variants}


def _cpus(share: float) -> float:
    """At most one CPU; Ray counts fractions in ten-thousandths."""
    return min(1.0, math.floor(share * 1000) / 1000) or 0.001


@ray.remote(max_retries=2)
def _task(name: str, sample: Sample, config: TrainConfig) -> Fitted:
    if name == random_forest.NAME:
        return random_forest.fit(sample, config.random_forest, config.seed)
    if name == logistic.NAME:
        return logistic.fit(sample, config.logistic, config.seed)
    return isolation_forest.fit(sample, config.isolation_forest, config.seed)
