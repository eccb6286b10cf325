"""The hyper-parameter search on a real Ray Tune."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import ray

from training.config import TrainConfig
from training.fit.search import search
from training.run_storage import RunStorage
from training.sets.sample import Sample

pytestmark = pytest.mark.usefixtures("training_ray")

TRIALS = 3
CONFIG = TrainConfig.model_validate(
    {
        "search": {"trials": TRIALS},
        # The first trial, with which nothing can be learnt: every other beats it.
        "xgboost": {"rounds": 18, "learning_rate": 1e-6, "min_child_weight": 1e6},
        "random_forest": {"trees": 9, "max_leaves": 2, "min_samples_leaf": 1000},
        "logistic": {"inverse_penalty": 1e-9, "steps": False},
    }
)


@pytest.fixture(scope="module")
def sample() -> Sample:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3000, 6)).astype(np.float32)
    y = (np.abs(x[:, 0]) + x[:, 1] + rng.normal(size=3000) > 3).astype(np.float32)
    names = tuple(f"f{i}" for i in range(6))
    return Sample(x[:2000], y[:2000], np.ones(2000, np.float32), x[2000:], y[2000:], names, ())


def test_search_finds_better_parameters_and_reports_how(sample: Sample, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    found = search(ray.put(sample), CONFIG, RunStorage.local(tmp_path), lambda *p: told.append(p))
    assert told[-1] == (3 * TRIALS, 3 * TRIALS)
    assert [(t.variant, t.number) for t in found.trials] == [
        (name, n) for name in ("xgboost", "random-forest", "logistic") for n in range(TRIALS)
    ]
    for variant in ("xgboost", "random-forest", "logistic"):
        section = variant.replace("-", "_")
        first = next(t for t in found.trials if t.variant == variant)
        before, after = getattr(CONFIG, section), getattr(found.config, section)
        assert first.effort == 9
        assert {n: getattr(before, n) for n in first.parameters} == first.parameters
        best = found.best(variant)
        assert best is not None
        assert best.number > 0, variant
        assert best.average_precision > first.average_precision
        assert after == before.model_copy(update=best.parameters)
        assert best.row()["parameter." + next(iter(best.parameters))] is not None
    assert found.config.model_copy(update={
        name: getattr(CONFIG, name) for name in ("xgboost", "random_forest", "logistic")
    }) == CONFIG  # fmt: skip
    assert not list(tmp_path.iterdir())
