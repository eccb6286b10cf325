"""The cache of feature matrices: it equals a backfill, labels included."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.history.history import History
from features.backfill import backfill
from tests.contracts.payments import DAY_MS, payments
from training.sets.dataset import build_dataset


@pytest.fixture
def history() -> History:
    batch = payments(200, seed=1, days=30.0, late=0.0, duplicate=0.0)
    label = (np.arange(200) % 3 == 0).astype(np.int8)
    known = np.array(batch.timestamp_ms, np.int64) + 2 * DAY_MS
    return History(batch, label, known)


def test_the_matrix_is_the_replay_with_labels(history: History, tmp_path: Path) -> None:
    data = build_dataset(history, tmp_path, lambda *_: None)
    expected = [f.values for f in backfill([history.batch], [history.label_events()])]
    assert np.asarray(data.values).tobytes() == np.concatenate(expected).tobytes()


def test_other_labels_are_another_matrix(history: History, tmp_path: Path) -> None:
    told: list[int] = []

    def built(one: History) -> bytes:
        told.clear()
        return np.asarray(
            build_dataset(one, tmp_path, lambda n, _: told.append(n)).values
        ).tobytes()

    first = built(history)
    assert len(told) > 1
    assert built(history) == first
    assert told == [len(history)]  # out of the cache
    later = replace(history, known_at_ms=history.known_at_ms + DAY_MS)
    turned = replace(history, label=(1 - history.label).astype(np.int8))
    assert len({first, built(later), built(turned)}) == 3
    unknown = replace(history, label=np.full_like(history.label, -1))
    plain = [f.values for f in backfill([history.batch])]
    assert built(unknown) == np.concatenate(plain).tobytes()
