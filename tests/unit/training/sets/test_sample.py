from __future__ import annotations

import numpy as np

from training.sets.sample import thin


def test_few_rows_are_all_taken() -> None:
    rows, weight = thin(np.array([True, False, False]), 10, 1)
    assert rows.tolist() == [0, 1, 2]
    assert weight.tolist() == [1, 1, 1]


def test_every_fraud_is_kept_and_the_rest_stand_for_all() -> None:
    fraud = np.arange(10_000) % 50 == 0
    rows, weight = thin(fraud, 1000, 1)
    assert rows.size == 1000
    assert fraud[rows].sum() == 200
    assert (np.diff(rows) > 0).all()
    assert weight[fraud[rows]].tolist() == [1] * 200
    assert abs(float(weight.sum()) - 10_000) < 1e-2
    again, _ = thin(fraud, 1000, 1)
    assert np.array_equal(rows, again)
    assert not np.array_equal(rows, thin(fraud, 1000, 2)[0])
