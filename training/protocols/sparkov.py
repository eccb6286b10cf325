"""Sparkov's simulated card payments, sorted by time; the last fifth is the test."""

from __future__ import annotations

from pathlib import Path

from training.config import TrainConfig
from training.protocols.last_fifth import last_fifth
from training.protocols.protocol import EvaluationProtocol
from training.protocols.protocol_split import ProtocolSplit
from training.protocols.reader import ProtocolReader
from training.sets.dataset import Dataset

_WARMUP_DAYS = 30


def read(path: Path, reading: ProtocolReader) -> Dataset:
    """Every payment with its features."""
    return reading.history("sparkov", path)


def splits(dataset: Dataset, config: TrainConfig) -> list[ProtocolSplit]:
    """The only split; labels not known when the test begins are not trained on."""
    return last_fifth(dataset, config, "last 20 % by time", _WARMUP_DAYS)


SPARKOV = EvaluationProtocol(
    name="sparkov",
    title="Sparkov simulated card payments",
    folder="sparkov_gen_A_kaggle_layout",
    read=read,
    splits=splits,
    means={},
    tuned={"cross_fit": {"folds": 3, "first": 0.4}},
)
