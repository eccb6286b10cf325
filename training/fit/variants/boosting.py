"""Gradient boosting round by round, with early stopping and a state to resume from.

Needs no Ray. Among several XGBoost workers each worker calls these functions on its share of the
rows, and they return the same on all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost as xgb

from fraud.payment.batch import Float32
from training.config import XGBoostConfig
from training.fit.variants.rung import EFFORTS, Rung, part
from training.sets.sample import Sample

_MODEL, _LOSSES = "model.ubj", "losses.json"
_STOP_METRIC = "logloss"


@dataclass(frozen=True, slots=True)
class BoostingState:
    """The state of boosting between two legs: all that the next leg depends on besides the data.

    Attributes:
        model: every tree so far, as UBJ.
        losses: log-loss on the validation part after each round, in nats (on the training part if
            there is no validation part); early stopping depends on nothing else.
    """

    model: bytes
    losses: tuple[float, ...]

    @classmethod
    def of(cls, booster: xgb.Booster, losses: Sequence[float]) -> BoostingState:
        """The state of a booster in memory."""
        return cls(bytes(booster.save_raw("ubj")), tuple(losses))

    def write(self, folder: Path) -> None:
        """Write the state into an existing folder."""
        (folder / _MODEL).write_bytes(self.model)
        (folder / _LOSSES).write_text(json.dumps(self.losses), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> BoostingState:
        """Read what `write` wrote."""
        losses = json.loads((folder / _LOSSES).read_text(encoding="utf-8"))
        return cls((folder / _MODEL).read_bytes(), tuple(losses))

    def best(self) -> xgb.Booster:
        """The model up to the round with the least loss."""
        booster = xgb.Booster(model_file=bytearray(self.model))
        return booster[: int(np.argmin(self.losses)) + 1]


AfterRound = Callable[[xgb.Booster, Sequence[float]], None]
"""Called with the model and the losses of all rounds so far."""


def ignore_round(_: xgb.Booster, __: Sequence[float]) -> None:
    """Does nothing."""


def ignore_state(_: BoostingState) -> None:
    """Does nothing with the state."""


def boost(
    rows: Sample,
    share: slice,
    config: XGBoostConfig,
    seed: int,
    state: BoostingState | None = None,
    *,
    keep: Callable[[BoostingState], None] = ignore_state,
    after_round: AfterRound = ignore_round,
) -> BoostingState:
    """Fit on `rows[share]` for `config.rounds`, or until the validation loss stops falling.

    A sample without validation rows is fitted for all rounds, as its training loss keeps falling.

    Boosting runs in legs of `config.checkpoint_rounds`. Each leg starts only from the state of the
    previous one: it draws rows and columns from its own seed and recomputes the margins of earlier
    trees. So an interrupted run yields the same trees, to the last bit.

    Args:
        state: a state that an earlier call passed to `keep`, to resume from; None to start.
        keep: called with the state after every leg but the last.
    """
    train = _matrix(rows.x_train[share], rows.y_train[share], config, rows.weight_train[share])
    watched = train
    if rows.y_validation.size:
        watched = _matrix(rows.x_validation[share], rows.y_validation[share], config)
    start = prior(rows)
    while True:
        losses = [] if state is None else list(state.losses)
        booster = xgb.Booster(
            _parameters(config, seed + len(losses), start),
            [train, watched],
            model_file=None if state is None else bytearray(state.model),
        )
        while not (done := _ended(losses, config)):
            booster.update(train, len(losses))
            losses.append(_loss(booster.eval_set([(watched, "watched")], len(losses))))
            after_round(booster, losses)
            if len(losses) % config.checkpoint_rounds == 0:
                break
        state = BoostingState.of(booster, losses)
        if done or _ended(losses, config):
            return state
        keep(state)


def _ended(losses: Sequence[float], config: XGBoostConfig) -> bool:
    return len(losses) >= config.rounds or stalled(losses, config.early_stopping_rounds)


def rungs(sample: Sample, config: XGBoostConfig, seed: int) -> Iterator[Rung]:
    """The rungs of a trial: more and more rounds, in this process only."""
    state = None
    x = _matrix(sample.x_validation, sample.y_validation, config)
    for effort in EFFORTS:
        whole = config.model_copy(update={"rounds": part(config.rounds, effort)})
        state = boost(sample, slice(None), whole, seed, state)
        best = state.best()
        best.set_param({"nthread": config.threads})
        yield Rung(effort, best.predict(x).astype(np.float64), best.num_boosted_rounds())


def stalled(losses: Sequence[float], patience_rounds: int) -> bool:
    """Whether the least loss is at least `patience_rounds` rounds old."""
    return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= patience_rounds


def prior(rows: Sample) -> float:
    """The share of fraud in the training part, in (0, 1), where boosting starts."""
    share = float(np.average(rows.y_train, weights=rows.weight_train))
    return float(np.clip(share, 1e-6, 1 - 1e-6))


def _matrix(
    x: Float32, y: Float32, config: XGBoostConfig, weight: Float32 | None = None
) -> xgb.DMatrix:
    return xgb.DMatrix(x, label=y, weight=weight, nthread=config.threads)


def _loss(evaluation: str) -> float:
    """The loss in a text such as `[3]\twatched-logloss:0.0123`."""
    return float(evaluation.rpartition(":")[2])


def _parameters(config: XGBoostConfig, seed: int, start: float) -> dict[str, Any]:
    return {
        "objective": "binary:logistic",
        "eval_metric": _STOP_METRIC,
        "tree_method": "hist",
        "max_depth": config.max_depth,
        "eta": config.learning_rate,
        "min_child_weight": config.min_child_weight,
        "subsample": config.subsample,
        "gamma": config.min_split_gain,
        "colsample_bytree": config.colsample_bytree,
        "colsample_bynode": config.colsample_bynode,
        "max_bin": config.max_bin,
        "lambda": config.reg_lambda,
        "base_score": start,
        "nthread": config.threads,
        "seed": seed,
    }
