"""XGBoost, fitted by Ray Train: boosted trees with early stopping on the validation part.

Several workers each hold a share of the rows and agree on every split. The state of boosting is
kept every few rounds; when a worker dies, all of them begin again from there.
"""

from __future__ import annotations

import signal
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
import ray.train
import xgboost as xgb
from ray import tune
from ray.train.xgboost import XGBoostTrainer

from models.artifact import BOOSTER_FILE, TREES_FILE
from models.trees import TreeContributions
from training.config import XGBoostConfig
from training.export.fitted import Fitted
from training.export.leaves import leaves_of_booster
from training.export.trees import boosted_graph, forest_of_booster
from training.fit.variants.boosting import AfterRound, BoostingState, boost, ignore_round
from training.run_storage import RunStorage
from training.sets.sample import Sample

NAME = "xgboost"
SPACE = {
    "max_depth": tune.randint(3, 9),
    "learning_rate": tune.loguniform(0.02, 0.2),
    "min_child_weight": tune.loguniform(0.1, 20),
    "min_split_gain": tune.choice([0.0, 0.5, 1.0]),
    "subsample": tune.uniform(0.6, 1),
    "colsample_bynode": tune.loguniform(0.1, 1),
    "reg_lambda": tune.loguniform(0.5, 20),
}
"""The parameters to search. The number of rounds is found by early stopping."""


def fit(
    sample: ray.ObjectRef[Sample],
    config: XGBoostConfig,
    seed: int,
    storage: RunStorage,
    cpus: float = 1.0,
    after_round: AfterRound = ignore_round,
) -> Fitted:
    """Fit on every worker's share of the rows that lie in the object store.

    Args:
        sample: a reference to the rows, which are never copied into the call.
        storage: for checkpoints; emptied again.
        cpus: share of a CPU that each worker requests from Ray.
        after_round: called on each worker.

    Raises:
        ray.train.TrainingFailedError: a worker failed more than `config.max_failures` times.
        KeyboardInterrupt: SIGINT; the workers are gone.
    """
    name = f"xgboost-{uuid.uuid4().hex[:12]}"
    trainer = XGBoostTrainer(
        _train_loop,
        train_loop_config={
            "sample": [sample],
            "config": config.model_dump(),
            "seed": seed,
            "after_round": after_round,
        },
        scaling_config=ray.train.ScalingConfig(
            num_workers=config.workers,
            resources_per_worker={"CPU": cpus},
            # Our nodes offer Ray more places than they have processors: packed, all workers would
            # share those of one machine.
            placement_strategy="SPREAD",
        ),
        run_config=ray.train.RunConfig(
            name=name,
            **storage.arguments(),
            failure_config=ray.train.FailureConfig(max_failures=config.max_failures),
            checkpoint_config=ray.train.CheckpointConfig(num_to_keep=1),
        ),
    )
    try:
        with _interruptible():
            result = trainer.fit()
        assert result.checkpoint is not None, "the loop reports one at its end"
        with result.checkpoint.as_directory() as folder:
            state = BoostingState.read(Path(folder))
    finally:
        storage.under(name).remove()
    return fitted_of(state.best(), config, seed, state.losses)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Make SIGINT a KeyboardInterrupt while Ray Train works and afterwards.

    In the main thread Ray Train installs a handler that ends the workers and then this process with
    exit code 0, and never removes it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, before)


def _train_loop(loop: dict[str, Any]) -> None:
    config = XGBoostConfig.model_validate(loop["config"])
    rows: Sample = ray.get(loop["sample"][0])
    context = ray.train.get_context()
    rank = context.get_world_rank()

    state = boost(
        rows,
        # Every n-th row: each worker sees the whole time span.
        slice(rank, None, context.get_world_size()),
        config,
        loop["seed"],
        _kept_state(),
        keep=lambda state: _report(state, rank),
        after_round=loop["after_round"],
    )
    _report(state, rank)


def _kept_state() -> BoostingState | None:
    checkpoint = ray.train.get_checkpoint()
    if checkpoint is None:
        return None
    with checkpoint.as_directory() as folder:
        return BoostingState.read(Path(folder))


def _report(state: BoostingState, rank: int) -> None:
    """Keep the state. It is the same on all workers, so only the first one writes it."""
    metrics = {"rounds": len(state.losses), "validation_logloss": state.losses[-1]}
    if rank > 0:
        ray.train.report(metrics)
        return
    with tempfile.TemporaryDirectory() as folder:
        state.write(Path(folder))
        ray.train.report(metrics, checkpoint=ray.train.Checkpoint.from_directory(folder))


def fitted_of(
    booster: xgb.Booster, config: XGBoostConfig, seed: int, losses: tuple[float, ...] = ()
) -> Fitted:
    """Files of a booster: the scoring graph, leaves for contributions, and XGBoost's own format.

    Args:
        losses: of all rounds, including those after the booster's last one.
    """
    forest, base = forest_of_booster(booster)
    n_features = booster.num_features()
    contributions = TreeContributions(leaves_of_booster(booster), n_features)
    return Fitted(
        variant=NAME,
        family="supervised",
        runtime="onnx",
        files={
            "model.onnx": boosted_graph(forest, base, n_features),
            TREES_FILE: contributions.to_bytes(),
            BOOSTER_FILE: bytes(booster.save_raw("ubj")),
        },
        parameters={**config.model_dump(), "seed": seed, "trees": booster.num_boosted_rounds()},
        imbalance="no reweighting: boosting starts at the training share of fraud and minimises"
        " log-loss, thresholds follow review rates",
        losses=losses,
    )
