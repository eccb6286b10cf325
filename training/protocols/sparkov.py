"""Sparkov's simulated card payments by time, the last fifth is the test."""

from __future__ import annotations

from pathlib import Path

from training.config import TrainConfig
from training.data.batches import read_payments
from training.dataset import Dataset, build_dataset
from training.progress import Progress
from training.protocols.case import Case
from training.protocols.fifth import last_fifth
from training.protocols.protocol import Protocol

_WARMUP_DAYS = 30


def read(path: Path, cache: Path, progress: Progress) -> Dataset:
    """Every payment with its features."""
    history = read_payments(path, "sparkov").history()
    return build_dataset(history, cache, lambda n, of: progress("features", n, of))


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
