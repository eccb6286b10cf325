"""ULB / Worldline card payments: V1 to V28, sorted by time; the last fifth is the test."""

from __future__ import annotations

from pathlib import Path

from training.config import TrainConfig
from training.protocols.last_fifth import last_fifth
from training.protocols.protocol import EvaluationProtocol
from training.protocols.protocol_split import ProtocolSplit
from training.protocols.reader import ProtocolReader
from training.sets.dataset import Dataset


def read(path: Path, reading: ProtocolReader) -> Dataset:
    """The table's own columns."""
    return reading.table("ulb", path)


def splits(dataset: Dataset, config: TrainConfig) -> list[ProtocolSplit]:
    """The only split: 227,845 rows and the 56,962 after them."""
    return last_fifth(dataset, config, "last 20 % by time, V1-V28", warmup_days=0)


ULB = EvaluationProtocol(
    name="ulb",
    title="ULB / Worldline credit card payments",
    folder="ulb_creditcard",
    read=read,
    splits=splits,
    means={},
    # Chosen by average precision and ROC-AUC on five expanding folds of the first 80 %. The 28
    # columns are scaled already, and there are few frauds.
    tuned={
        "cross_fit": {"folds": 5, "first": 0.3},
        "xgboost": {
            "rounds": 400,
            "early_stopping_rounds": 100,
            "learning_rate": 0.03,
            "max_depth": 8,
            "min_child_weight": 0.1,
            "subsample": 0.8,
            "colsample_bynode": 0.15,
        },
        "random_forest": {
            "splits": "random",
            "trees": 200,
            "min_samples_leaf": 3,
            "max_features": 0.3,
            "fraud_weight": "balanced",
            "max_rows": 15_000,
        },
        "logistic": {
            "scaling": "robust",
            "squares": True,
            "steps": False,
            "max_rows": 400_000,
        },
    },
)
