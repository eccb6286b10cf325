"""Distributed fitting: a killed worker costs time, not the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import ray

from training.config import TrainConfig
from training.fit.on_ray import fit_on_ray
from training.fit.variants import xgboost as boosted
from training.run_storage import RunStorage
from training.sets.sample import Sample

pytestmark = pytest.mark.usefixtures("training_ray")

CONFIG = TrainConfig.model_validate(
    {
        "xgboost": {
            "workers": 2,
            "rounds": 30,
            "learning_rate": 0.01,  # so low that the last round is the best
            "early_stopping_rounds": 1000,
            "checkpoint_rounds": 10,
            "max_failures": 1,
        },
        "random_forest": {"trees": 5},
        "isolation_forest": {"trees": 5, "sample_rows": 64},
    }
)


@pytest.fixture(scope="module")
def sample() -> Sample:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3000, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    y = (np.nan_to_num(x[:, 0]) + rng.normal(size=3000) > 1.5).astype(np.float32)
    names = tuple(f"f{i}" for i in range(6))
    return Sample(x[:2000], y[:2000], np.ones(2000, np.float32), x[2000:], y[2000:], names, ())


def test_a_killed_worker_does_not_change_the_model(sample: Sample, tmp_path: Path) -> None:
    began, killed = tmp_path / "began", tmp_path / "killed"
    storage = tmp_path / "storage"
    storage.mkdir()

    # Travels to the workers by value.
    def kill_once(booster: object, losses: list[float]) -> None:
        import os
        import signal
        import time

        import ray.train

        if ray.train.get_context().get_world_rank() != 1:
            return
        with began.open("a") as told:
            told.write(f"{len(losses)} ")
        if len(losses) == 15 and not killed.exists():
            # The state after round 10 is noted; until this worker goes on, no other is.
            while not list(storage.glob("*/checkpoint_manager_snapshot.json")):
                time.sleep(0.05)
            killed.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    done: list[str] = []
    undisturbed = fit_on_ray(sample, CONFIG, RunStorage.local(storage), done.append)
    assert sorted(done) == sorted(undisturbed) == sorted(CONFIG.variants)

    rows = ray.put(sample)
    again = boosted.fit(
        rows,
        CONFIG.xgboost,
        CONFIG.seed,
        RunStorage.local(storage),
        cpus=0.5,
        after_round=kill_once,
    )
    assert killed.exists()
    # GuardFindings 1 to 15, then from what was kept after round 10 on.
    assert [int(n) for n in began.read_text().split()] == [*range(1, 16), *range(11, 31)]
    assert again.parameters["trees"] == 30
    assert again == undisturbed["xgboost"]
    assert not list(storage.iterdir())
