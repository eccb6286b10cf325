"""The simplest honest split: the last fifth of the rows by time is the test."""

from __future__ import annotations

import numpy as np

from training.config import TrainConfig
from training.protocols.protocol_split import ProtocolSplit
from training.sets.dataset import Dataset
from training.sets.split import DAY_MS, UNKNOWN

NAME = "last_fifth"


def last_fifth(
    dataset: Dataset, config: TrainConfig, title: str, warmup_days: float, share: float = 0.8
) -> list[ProtocolSplit]:
    """The only split of a data set.

    Args:
        warmup_days: rows of the first days are not trained on, as feature windows are not full.
        share: share of the oldest rows, which come before the test.
    """
    cut = int(len(dataset) * share)
    first_ms = dataset.timestamp_ms[0] + round(warmup_days * DAY_MS)
    known = dataset.label != UNKNOWN
    in_time = dataset.known_at_ms <= dataset.timestamp_ms[cut]
    before = known & in_time & (dataset.timestamp_ms >= first_ms)
    return [
        ProtocolSplit(
            name=NAME,
            title=title,
            train=np.flatnonzero(before[:cut]),
            test=cut + np.flatnonzero(known[cut:]),
            config=config,
        )
    ]
