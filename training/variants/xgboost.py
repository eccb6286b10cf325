"""XGBoost, fitted by Ray Train: boosted trees with early stopping on the validation part."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.train
import xgboost as xgb
from ray.train.xgboost import RayTrainReportCallback, XGBoostTrainer

from training.config import XGBoostConfig
from training.export.trees import boosted_graph, forest_of_booster
from training.sample import Sample
from training.variants.fitted import Fitted

NAME = "xgboost"


def fit(sample: ray.ObjectRef[Sample], config: XGBoostConfig, seed: int, storage: Path) -> Fitted:
    """Fit on every worker's share of the rows that lie in the object store.

    Args:
        sample: where the rows are; they are never copied into the call.
        storage: folder that all nodes see, for checkpoints; emptied again.
    """
    name = f"xgboost-{uuid.uuid4().hex[:12]}"
    trainer = XGBoostTrainer(
        _train_loop,
        train_loop_config={"sample": [sample], "config": config.model_dump(), "seed": seed},
        scaling_config=ray.train.ScalingConfig(num_workers=config.workers),
        run_config=ray.train.RunConfig(name=name, storage_path=str(storage)),
    )
    try:
        result = trainer.fit()
        if result.error is not None:
            raise result.error
        assert result.checkpoint is not None, "the callback reports one at the end"
        booster = RayTrainReportCallback.get_model(result.checkpoint)
    finally:
        shutil.rmtree(storage / name, ignore_errors=True)
    return fitted_of(booster, config, seed)


def _train_loop(loop: dict[str, Any]) -> None:
    config = XGBoostConfig.model_validate(loop["config"])
    rows: Sample = ray.get(loop["sample"][0])
    context = ray.train.get_context()
    # Every n-th row: each worker sees the whole time span.
    share = slice(context.get_world_rank(), None, context.get_world_size())
    train_booster(rows, share, config, loop["seed"], [_OncePerRun()])


class _OncePerRun(RayTrainReportCallback):
    """Reports the final model with its metrics; a report each round costs more than the round."""

    def _report_metrics(self, report_dict: dict[str, float]) -> None:
        pass


def train_booster(
    rows: Sample,
    share: slice,
    config: XGBoostConfig,
    seed: int,
    callbacks: list[xgb.callback.TrainingCallback],
) -> xgb.Booster:
    """Fit on `rows[share]`; what comes back ends at its best round on the validation part."""
    train = xgb.DMatrix(
        rows.x_train[share],
        label=rows.y_train[share],
        weight=rows.weight_train[share],
        nthread=config.threads,
    )
    validation = xgb.DMatrix(
        rows.x_validation[share], label=rows.y_validation[share], nthread=config.threads
    )
    stopping = xgb.callback.EarlyStopping(
        rounds=config.early_stopping_rounds, metric_name="logloss", save_best=True
    )
    return xgb.train(
        _parameters(config, seed, prior(rows)),
        train,
        num_boost_round=config.rounds,
        evals=[(validation, "validation")],
        verbose_eval=False,
        # The early stop first: the report that follows then carries the best model.
        callbacks=[stopping, *callbacks],
    )


def prior(rows: Sample) -> float:
    """Share of fraud in the training part, in (0, 1): where boosting starts."""
    share = float(np.average(rows.y_train, weights=rows.weight_train))
    return float(np.clip(share, 1e-6, 1 - 1e-6))


def _parameters(config: XGBoostConfig, seed: int, start: float) -> dict[str, Any]:
    return {
        "objective": "binary:logistic",
        "eval_metric": ["aucpr", "logloss"],
        "tree_method": "hist",
        "max_depth": config.max_depth,
        "eta": config.learning_rate,
        "min_child_weight": config.min_child_weight,
        "subsample": config.subsample,
        "colsample_bytree": config.colsample_bytree,
        "lambda": config.reg_lambda,
        "base_score": start,
        "nthread": config.threads,
        "seed": seed,
    }


def fitted_of(booster: xgb.Booster, config: XGBoostConfig, seed: int) -> Fitted:
    """Files of a booster: the scoring graph, and UBJ for contributions."""
    forest, base = forest_of_booster(booster)
    return Fitted(
        variant=NAME,
        family="supervised",
        runtime="onnx",
        files={
            "model.onnx": boosted_graph(forest, base, booster.num_features()),
            "model.ubj": bytes(booster.save_raw("ubj")),
        },
        parameters={**config.model_dump(), "seed": seed, "trees": booster.num_boosted_rounds()},
        imbalance="no reweighting: boosting starts at the training share of fraud and minimises"
        " log-loss, thresholds follow review rates",
    )
