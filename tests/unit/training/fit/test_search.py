"""The result of a search, and trials that stop early."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from training.config import (
    LogisticConfig,
    RandomForestConfig,
    TrainConfig,
    XGBoostConfig,
)
from training.fit.search import SearchResult, merged
from training.fit.search_trial import SearchTrial
from training.fit.variants import boosting, logistic, random_forest
from training.fit.variants import xgboost as boosted
from training.fit.variants.rung import EFFORTS, Rung
from training.sets.sample import Sample

SEED = 3


@pytest.fixture(scope="module")
def sample() -> Sample:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2000, 5)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    y = (np.nan_to_num(x[:, 0]) + rng.normal(size=2000) > 1.5).astype(np.float32)
    for column in (x, y):
        column.setflags(write=False)  # as rows in Ray's object store are
    names = tuple("abcde")
    return Sample(x[:1500], y[:1500], np.ones(1500, np.float32), x[1500:], y[1500:], names, ())


def _trial(
    variant: str, number: int, precision: float, effort: int, **parameters: Any
) -> SearchTrial:
    return SearchTrial(variant, number, parameters, precision, effort, 10, 0.5)


def test_the_best_trial_that_was_not_given_up_is_merged() -> None:
    config = TrainConfig()
    trials = (
        _trial("xgboost", 0, 0.5, 9, max_depth=6),
        _trial("xgboost", 1, 0.9, 3, max_depth=3),
        _trial("xgboost", 2, 0.7, 9, max_depth=4),
        _trial("xgboost", 3, 0.7, 9, max_depth=5),
        _trial("logistic", 0, 0.4, 1, inverse_penalty=0.3),
    )
    found = merged(config, trials)
    assert found.config.xgboost == config.xgboost.model_copy(update={"max_depth": 4})
    assert found.config.logistic == config.logistic, "no trial came through"
    assert found.trials == trials
    assert merged(config, ()) == SearchResult(config, ())


RUNGS: list[tuple[Callable[..., Iterator[Rung]], Any, list[int]]] = [
    (boosting.rungs, XGBoostConfig(rounds=27, early_stopping_rounds=99), [3, 9, 27]),
    (random_forest.rungs, RandomForestConfig(trees=18), [2, 6, 18]),
    (logistic.rungs, LogisticConfig(), [166, 500, 1500]),
]


@pytest.mark.parametrize(("rungs", "config", "sizes"), RUNGS)
def test_rungs_grow_to_the_whole_effort(
    sample: Sample, rungs: Callable[..., Iterator[Rung]], config: Any, sizes: list[int]
) -> None:
    climbed = list(rungs(sample, config, SEED))
    assert [rung.effort for rung in climbed] == list(EFFORTS)
    assert all(r.size <= size for r, size in zip(climbed, sizes, strict=True))
    assert all(rung.scores.shape == (500,) for rung in climbed)


def test_the_last_rung_scores_like_the_variant(sample: Sample) -> None:
    """A whole trial of a forest or regression equals the fitted model, to the last bit."""
    forest, linear = RandomForestConfig(trees=18), LogisticConfig()
    *_, last = random_forest.rungs(sample, forest, SEED)
    fitted = random_forest.train_forest(sample, forest, SEED)
    assert np.array_equal(last.scores, fitted.predict_proba(sample.x_validation.copy())[:, 1])
    *_, last = logistic.rungs(sample, linear, SEED)
    columns, model = logistic.train_logistic(sample, linear, SEED)
    fitted = model.decision_function(columns.transform(sample.x_validation))
    assert np.array_equal(last.scores, fitted)


@pytest.mark.parametrize(
    ("space", "config"),
    [
        (boosted.SPACE, XGBoostConfig()),
        (random_forest.SPACE, RandomForestConfig()),
        (logistic.SPACE, LogisticConfig()),
    ],
)
def test_every_point_of_a_space_is_a_configuration(space: dict[str, Any], config: Any) -> None:
    for _ in range(50):
        point = {name: domain.sample() for name, domain in space.items()}
        assert type(config).model_validate({**config.model_dump(), **point})
