from __future__ import annotations

import math

import numpy as np
import pytest

from features.assemble import without_history
from features.definitions import FEATURES, N_FEATURES, NAMES, SCHEMA_ID, reason_of
from features.replay import replay
from fraud.batch import TransactionBatch
from fraud.transaction import Transaction
from tests.contracts.payments import payments


def rows(*amounts_and_seconds: tuple[int, int]) -> TransactionBatch:
    start = 1_700_000_000_000  # Tuesday 2023-11-14, 22:13:20 UTC
    return TransactionBatch.of(
        "default",
        [
            Transaction(
                f"t{i}", "c", start + s * 1000, a, "USD", "purchase", merchant_id=f"m{i % 2}"
            )
            for i, (a, s) in enumerate(amounts_and_seconds)
        ],
    )


def features_of(batch: TransactionBatch) -> dict[str, list[float]]:
    values = np.concatenate([f.values for f in replay([batch])])
    return {name: values[:, j].tolist() for j, name in enumerate(NAMES)}


def test_every_feature_is_declared_once_and_has_a_reason() -> None:
    assert len(set(NAMES)) == N_FEATURES
    assert all(reason_of(f.name)[1] for f in FEATURES)
    assert len(SCHEMA_ID) == 12


def test_a_history_worked_out_by_hand() -> None:
    got = features_of(rows((1000, 0), (2000, 60), (6000, 120)))
    assert got["request_amount"] == [10.0, 20.0, 60.0]
    assert got["customer_count_1h"] == [0, 1, 2]
    assert got["customer_sum_amount_24h"] == [0, 10, 30]
    assert got["customer_mean_amount_30d"][1:] == [10, 15]
    assert math.isnan(got["customer_mean_amount_30d"][0])
    assert got["customer_std_amount_7d"][2] == 5
    assert math.isnan(got["customer_std_amount_7d"][1])
    assert got["customer_amount_ratio_30d"][2] == 4
    assert got["customer_amount_zscore_30d"][2] == 9
    assert got["customer_new_merchant"] == [1, 1, 0]
    assert got["customer_seconds_since_merchant"][2] == 120
    assert got["customer_seconds_since_last"][1:] == [60, 60]
    assert got["customer_distinct_merchants_24h"] == [0, 1, 2]
    assert got["merchant_count_24h"] == [0, 0, 1]
    assert all(math.isnan(v) for v in got["device_count_24h"])
    assert got["request_weekday"] == [1, 1, 1]
    assert got["request_hour"][0] == pytest.approx(22 + 13 / 60 + 20 / 3600)
    assert got["request_is_night"] == [0, 0, 0]
    assert got["request_is_round_amount"] == [1, 1, 1]


def test_equal_amounts_have_no_deviation() -> None:
    got = features_of(rows(*((1999, 60 * i) for i in range(5))))
    assert got["customer_std_amount_24h"][4] == 0
    assert math.isnan(got["customer_amount_zscore_30d"][4])


def test_a_row_has_the_same_bits_in_any_batch() -> None:
    batch = payments(700, seed=8)
    whole = np.concatenate([f.values for f in replay([batch])])
    single = np.concatenate(
        [f.values for f in replay(batch.slice(i, i + 1) for i in range(len(batch)))]
    )
    assert single.tobytes() == whole.tobytes()


def test_without_history_only_the_request_speaks() -> None:
    features = without_history(payments(20, seed=9), "features_unavailable")
    request = [f.name.startswith("request_") for f in FEATURES]
    assert np.isnan(features.values[:, ~np.array(request)]).all()
    assert not np.isnan(features.values[:, NAMES.index("request_amount")]).any()
    assert features.degraded == ("features_unavailable",)
    assert (features.age_ms == -1).all()


def test_every_declared_feature_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column that nobody writes keeps what it was filled with."""
    untouched, full = 123456.0, np.full
    monkeypatch.setattr(
        "features.transform.np.full", lambda shape, _, dtype: full(shape, untouched, dtype=dtype)
    )
    values = np.concatenate([f.values for f in replay([payments(50, seed=1)])])
    assert not [name for j, name in enumerate(NAMES) if (values[:, j] == untouched).any()]
