"""Interrupted and resumed boosting ends with the same model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb

from training.config import XGBoostConfig
from training.fit.variants.boosting import BoostingState, boost, prior, stalled
from training.fit.variants.xgboost import fitted_of
from training.sets.sample import Sample

SEED = 9
EVERYTHING = slice(None)


@pytest.fixture(scope="module")
def sample() -> Sample:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(3000, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    odds = np.exp(1.5 * np.nan_to_num(x[:, 0]) - np.nan_to_num(x[:, 1]) - 2.5)
    y = (rng.random(3000) < odds / (1 + odds)).astype(np.float32)
    weight = rng.uniform(0.5, 2, 2000).astype(np.float32)
    names = tuple(f"f{i}" for i in range(6))
    return Sample(x[:2000], y[:2000], weight, x[2000:], y[2000:], names, ())


class _Killed(Exception):
    pass


def _interrupted(sample: Sample, config: XGBoostConfig, at: int, folder: Path) -> BoostingState:
    """Boost until round `at`, keep only the state on disk, and resume."""

    def kill(_: xgb.Booster, losses: Sequence[float]) -> None:
        if len(losses) == at:
            raise _Killed

    with pytest.raises(_Killed):
        boost(
            sample, EVERYTHING, config, SEED, keep=lambda s: s.write(folder), after_round=kill
        )  # fmt: skip
    kept = BoostingState.read(folder)
    assert len(kept.losses) == (at - 1) // config.checkpoint_rounds * config.checkpoint_rounds
    return boost(sample, EVERYTHING, config, SEED, kept)


def test_goes_on_to_the_same_model(sample: Sample, tmp_path: Path) -> None:
    config = XGBoostConfig(
        rounds=25, early_stopping_rounds=100, subsample=0.7, checkpoint_rounds=10
    )
    undisturbed = boost(sample, EVERYTHING, config, SEED)
    again = _interrupted(sample, config, 18, tmp_path)
    assert len(again.losses) == 25
    assert again == undisturbed
    assert (
        fitted_of(again.best(), config, SEED).files
        == fitted_of(undisturbed.best(), config, SEED).files
    )


def test_goes_on_to_stop_at_the_same_round(sample: Sample, tmp_path: Path) -> None:
    config = XGBoostConfig(
        rounds=1000, early_stopping_rounds=6, learning_rate=0.3, checkpoint_rounds=2
    )
    undisturbed = boost(sample, EVERYTHING, config, SEED)
    rounds = len(undisturbed.losses)
    assert rounds < 200, "it stops early"
    # Two rounds before it stops: the best round lies before what is kept.
    again = _interrupted(sample, config, rounds - 2, tmp_path)
    assert again == undisturbed
    assert again.best().num_boosted_rounds() == rounds - 6


def test_a_state_that_has_ended_is_left_as_it_is(sample: Sample) -> None:
    config = XGBoostConfig(rounds=5)
    ended = boost(sample, EVERYTHING, config, SEED)
    assert boost(sample, EVERYTHING, config, SEED, ended) == ended


def test_another_seed_is_another_model(sample: Sample) -> None:
    config = XGBoostConfig(rounds=5)
    assert boost(sample, EVERYTHING, config, 1) != boost(sample, EVERYTHING, config, 2)


@pytest.mark.parametrize(
    ("losses", "patience", "stops"),
    [
        ([], 1, False),
        ([0.5], 1, False),
        ([0.5, 0.4, 0.41], 2, False),
        ([0.5, 0.4, 0.41, 0.4], 2, True),  # as good as the best is no gain
        ([0.5, 0.4, 0.41, 0.39], 2, False),
    ],
)
def test_stalled(losses: list[float], patience: int, stops: bool) -> None:
    assert stalled(losses, patience) is stops


def test_boosting_starts_at_the_weighted_share_of_fraud(sample: Sample) -> None:
    share = (sample.y_train * sample.weight_train).sum() / sample.weight_train.sum()
    assert prior(sample) == pytest.approx(share)
