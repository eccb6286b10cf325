"""Hyper-parameter search with Ray Tune: asynchronous successive halving (ASHA, Li et al. 2020).

Every variant has its own search, and all run at the same time. The trials of one search run one
after another, so that early stopping depends on the data and the seed, not on which trial happened
to be faster: with a budget of trials, the same seed and data choose the same parameters.
"""

from __future__ import annotations

import math
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator
from sklearn.metrics import average_precision_score

from fraud.errors import NotTrainable
from training.config import TrainConfig
from training.fit.search_trial import Parameter, SearchTrial
from training.fit.variants import boosting, logistic, random_forest, xgboost
from training.fit.variants.rung import WHOLE
from training.run_storage import RunStorage
from training.sets.sample import Sample

_SPACES: dict[str, dict[str, Any]] = {
    module.NAME: module.SPACE for module in (xgboost, random_forest, logistic)
}
_RUNGS: dict[str, Callable[..., Any]] = {
    xgboost.NAME: boosting.rungs,
    random_forest.NAME: random_forest.rungs,
    logistic.NAME: logistic.rungs,
}
_OBJECTIVE = "average_precision"
_HALVING = 3


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search.

    Attributes:
        config: the configuration with the best parameters of each searched variant.
        trials: every trial, by variant and number.
    """

    config: TrainConfig
    trials: tuple[SearchTrial, ...]

    def best(self, variant: str) -> SearchTrial | None:
        """The best trial that was not stopped early, the first of equals; None without one."""
        whole = [t for t in self.trials if t.variant == variant and t.effort == WHOLE]
        return max(whole, key=lambda t: t.average_precision, default=None)


def search(
    sample: ray.ObjectRef[Sample],
    config: TrainConfig,
    storage: RunStorage,
    progress: Callable[[int, int], None],
) -> SearchResult:
    """Search the trained variants of `config.search` on the connected Ray.

    Only the training and validation parts are used. An interrupted search leaves no task behind.

    Args:
        sample: a reference to the rows.
        config: what is trained; its own parameters are the first trial of each search, so that the
            result is never worse on the validation part.
        storage: for what the trials leave; emptied again.
        progress: called with trials done and total or, without a limit of trials, seconds.

    Raises:
        NotTrainable: there is no budget, or the validation part holds no fraud.
    """
    if not config.search.has_budget:
        raise NotTrainable("search: no budget: set search.trials or search.minutes")
    variants = [name for name in config.variants if name in config.search.variants]
    folder = storage.under(f"search-{uuid.uuid4().hex[:12]}")
    total = ray.cluster_resources()["CPU"]  # type: ignore[no-untyped-call]
    cpus = min(1.0, math.floor(1000 * total / max(1, len(variants))) / 1000)
    # Two threads each: one searches, one reports progress.
    actor: Any = ray.remote(_Search)
    actor = actor.options(num_cpus=0, max_concurrency=2)
    searches = [actor.remote(name, [sample], config, folder, cpus) for name in variants]
    try:
        runs = [search.run.remote() for search in searches]
        _await(searches, runs, config, progress)
        trials = [trial for found in ray.get(runs) for trial in found]
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    finally:
        for search in searches:
            ray.kill(search)
        folder.remove()
    return merged(config, tuple(trials))


def _await(
    searches: list[Any],
    runs: list[Any],
    config: TrainConfig,
    progress: Callable[[int, int], None],
) -> None:
    """Report progress until every search has ended or one has failed."""
    budget, started = config.search, time.monotonic()
    total = budget.trials * len(runs) or math.ceil(60 * (budget.minutes or 0))
    waiting = list(runs)
    while waiting:
        ended, waiting = ray.wait(waiting, timeout=1.0)
        ray.get(ended)
        if budget.trials:
            done = sum(ray.get([search.done.remote() for search in searches]))
        else:
            done = int(time.monotonic() - started)
        progress(min(done, total - 1), total)
    progress(total, total)


def merged(config: TrainConfig, trials: tuple[SearchTrial, ...]) -> SearchResult:
    """The configuration with the best trial of each variant in its section."""
    found = SearchResult(config, trials)
    sections: dict[str, Any] = {}
    for variant in dict.fromkeys(trial.variant for trial in trials):
        best = found.best(variant)
        if best is not None:
            name = _section(variant)
            sections[name] = getattr(config, name).model_copy(update=best.parameters)
    return SearchResult(config.model_copy(update=sections), trials)


def _section(variant: str) -> str:
    return variant.replace("-", "_")


class _Search:
    """The search of one variant."""

    def __init__(
        self, variant: str, sample: list[Any], config: TrainConfig, folder: RunStorage, cpus: float
    ) -> None:
        self._variant = variant
        self._sample = sample
        self._config = config
        self._folder = folder
        self._cpus = cpus
        self._counter = _Counter()
        # No progress files: every trial is in the result.
        os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
        os.environ["RAY_CHDIR_TO_TRIAL_DIR"] = "0"

    def done(self) -> int:
        """Trials that have ended."""
        return self._counter.ended

    def run(self) -> list[SearchTrial]:
        """Search until the budget is spent."""
        budget = self._config.search
        section = getattr(self._config, _section(self._variant))
        space = _SPACES[self._variant]
        tuner = tune.Tuner(
            tune.with_resources(
                tune.with_parameters(
                    _named_trial(f"{self._variant}-{self._folder.name}"),
                    variant=self._variant,
                    sample=self._sample,
                    section=section,
                    seed=self._config.seed,
                ),
                {"cpu": self._cpus},
            ),
            param_space=space,
            tune_config=tune.TuneConfig(
                metric=_OBJECTIVE,
                mode="max",
                search_alg=BasicVariantGenerator(
                    points_to_evaluate=[{name: getattr(section, name) for name in space}],
                    max_concurrent=1,
                    random_state=self._config.seed,
                ),
                scheduler=ASHAScheduler(
                    time_attr="effort", max_t=WHOLE, grace_period=1, reduction_factor=_HALVING
                ),
                num_samples=budget.trials or -1,
                time_budget_s=None if budget.minutes is None else 60 * budget.minutes,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name=self._variant,
                **self._folder.arguments(),
                verbose=0,
                callbacks=[self._counter],
            ),
        )
        return _trials(self._variant, tuner.fit())


class _Counter(tune.Callback):
    """Counts trials that have ended."""

    def __init__(self) -> None:
        self.ended = 0

    def on_trial_complete(self, *_: Any, **__: Any) -> None:
        self.ended += 1

    def on_trial_error(self, *_: Any, **__: Any) -> None:
        self.ended += 1


def _trial(
    point: dict[str, Any], *, variant: str, sample: list[Any], section: Any, seed: int
) -> None:
    """Fit with increasing effort and report each result, until Tune stops the trial."""
    rows: Sample = ray.get(sample[0])
    if not 0 < rows.y_validation.sum() < rows.y_validation.size:
        raise NotTrainable("search: the validation part needs fraud and genuine payments")
    tried = type(section).model_validate({**section.model_dump(), **_tidy(point)})
    for rung in _RUNGS[variant](rows, tried, seed):
        precision = float(average_precision_score(rows.y_validation, rung.scores))
        tune.report({_OBJECTIVE: precision, "effort": rung.effort, "size": rung.size})


def _named_trial(name: str) -> Callable[..., None]:
    """`_trial` under a name unique on this Ray, since Tune registers functions by name."""

    def trial(point: dict[str, Any], **fixed: Any) -> None:
        _trial(point, **fixed)

    trial.__name__ = trial.__qualname__ = name
    return trial


def _tidy(point: dict[str, Any]) -> dict[str, Parameter]:
    """Round numbers to three digits: a search is not more precise."""
    return {
        name: float(f"{value:.3g}") if isinstance(value, float) else _plain(value)
        for name, value in point.items()
    }


def _plain(value: Any) -> Parameter:
    plain: Parameter = value.item() if isinstance(value, np.generic) else value
    return plain


def _trials(variant: str, results: tune.ResultGrid) -> list[SearchTrial]:
    """The trials that reported; trials cut off earlier by a time budget are left out.

    Raises:
        The error of the first failed trial.
    """
    for error in results.errors:
        raise getattr(error, "cause", None) or error
    trials = []
    for number in range(len(results)):
        result = results[number]
        metrics = result.metrics or {}
        if _OBJECTIVE not in metrics:
            continue
        trials.append(
            SearchTrial(
                variant=variant,
                number=number,
                parameters=_tidy(result.config or {}),
                average_precision=metrics[_OBJECTIVE],
                effort=metrics["effort"],
                size=metrics["size"],
                seconds=round(metrics["time_total_s"], 3),
            )
        )
    return trials
