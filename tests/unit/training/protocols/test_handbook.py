"""The handbook's rows, against its rules applied row by row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fraud.errors import NotTrainable
from training.config import TrainConfig
from training.protocols.handbook import HANDBOOK, rows_of, splits
from training.sets.dataset import Dataset
from training.sets.schema import FeatureSchema
from training.sets.split import DAY_MS

FIRST = 17_622
DAYS = 136


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    rng = np.random.default_rng(0)
    n = 20_000
    at_ms = np.sort(rng.integers(FIRST * DAY_MS, (FIRST + DAYS) * DAY_MS, n))
    return Dataset(
        values=np.zeros((n, 2), np.float32),
        label=(rng.random(n) < 0.02).astype(np.int8),
        known_at_ms=at_ms + 7 * DAY_MS,
        timestamp_ms=at_ms,
        customer_id=[f"c{i}" for i in rng.integers(0, 400, n)],
        amount=np.ones(n),
        segment={},
        schema=FeatureSchema.tabular(("a", "b"), ()),
    )


def test_cards_known_to_be_compromised_are_left_out(dataset: Dataset) -> None:
    test_day = FIRST + 60
    train, test = rows_of(dataset, test_day)
    day = dataset.timestamp_ms // DAY_MS
    customers = dataset.customer_id
    assert customers is not None

    expected_train, expected_test, known = [], [], set()
    for i in range(len(dataset)):
        if test_day - 14 <= day[i] < test_day - 7:
            expected_train.append(i)
            if dataset.label[i]:
                known.add(customers[i])
    for later in range(7):
        for i in np.flatnonzero(day == test_day - 7 + later - 1):
            if dataset.label[i]:
                known.add(customers[i])
        rows = np.flatnonzero(day == test_day + later)
        expected_test += [int(i) for i in rows if customers[i] not in known]
    assert train.tolist() == expected_train
    assert test.tolist() == expected_test
    assert 0 < test.size < (day // 7 == test_day // 7).sum() * 2


def test_every_case_learns_from_rows_that_are_labelled_before_its_test(dataset: Dataset) -> None:
    found = splits(dataset, TrainConfig())
    names = [split.name for split in found]
    assert names[:2] == ["official", "any_history"]
    for over in HANDBOOK.means.values():
        assert set(over) == set(names[2:])
    for split in found:
        first_ms = dataset.timestamp_ms[split.test].min()
        assert dataset.known_at_ms[split.train].max() <= first_ms
    assert found[0].test.tolist() == found[1].test.tolist()
    assert set(found[0].train) < set(found[1].train)
    last = (dataset.timestamp_ms[found[1].train] // DAY_MS).max()
    assert last == np.datetime64("2018-07-31").astype("datetime64[D]").astype(int)


def test_a_file_of_other_days_is_refused(dataset: Dataset) -> None:
    moved = replace(dataset, timestamp_ms=dataset.timestamp_ms + 400 * DAY_MS)
    with pytest.raises(NotTrainable, match="days of its own protocol"):
        splits(moved, TrainConfig())
