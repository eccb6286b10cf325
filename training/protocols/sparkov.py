"""Sparkov's simulated card payments by time, the last fifth is the test."""

from __future__ import annotations

from pathlib import Path

from training.config import TrainConfig
from training.protocols.case import Case
from training.protocols.fifth import last_fifth
from training.protocols.protocol import Protocol
from training.protocols.reading import Reading
from training.sets.dataset import Dataset

_WARMUP_DAYS = 30


def read(path: Path, reading: Reading) -> Dataset:
    """Every payment with its features."""
    return reading.history("sparkov", path)


def cases(dataset: Dataset, config: TrainConfig) -> list[Case]:
    """The one split; labels that were not known when the test begins are not learnt from."""
    return last_fifth(dataset, config, "last 20 % by time", _WARMUP_DAYS)


SPARKOV = Protocol(
    name="sparkov",
    title="Sparkov simulated card payments",
    folder="sparkov_gen_A_kaggle_layout",
    read=read,
    cases=cases,
    means={},
    tuned={"cross_fit": {"folds": 3, "first": 0.4}},
)
