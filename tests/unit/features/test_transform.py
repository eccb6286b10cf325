from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from features.assemble import without_history
from features.backfill import backfill
from features.declaration import Subject
from features.definitions import FAMILIES, FEATURES, NAMES
from features.families.rows import Rows
from features.state.reading import Reading
from features.transform import transform
from fraud.payment.batch import Float32, TransactionBatch
from fraud.payment.transaction import Transaction
from fraud.reasons.catalogue import AMOUNT
from fraud.reasons.wording import Wording
from tests.contracts.aggregates import (
    features_of,
    located,
    payment,
    random_histories,
    reading_of,
    rows_of,
    saw,
)
from tests.contracts.payments import payments
from tests.contracts.root import ROOT


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


def replayed(batch: TransactionBatch) -> dict[str, list[float]]:
    values = np.concatenate([f.values for f in backfill([batch])])
    return {name: values[:, j].tolist() for j, name in enumerate(NAMES)}


def test_a_history_worked_out_by_hand() -> None:
    got = replayed(rows((1000, 0), (2000, 60), (6000, 120)))
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
    got = replayed(rows(*((1999, 60 * i) for i in range(5))))
    assert got["customer_std_amount_24h"][4] == 0
    assert math.isnan(got["customer_amount_zscore_30d"][4])


def test_a_row_has_the_same_bits_in_any_batch() -> None:
    batch = payments(700, seed=8)
    whole = np.concatenate([f.values for f in backfill([batch])])
    single = np.concatenate(
        [f.values for f in backfill(batch.slice(i, i + 1) for i in range(len(batch)))]
    )
    assert single.tobytes() == whole.tobytes()


def test_what_a_request_says_is_worked_out_without_a_compiler() -> None:
    """A process that never sees history does not pay for numba."""
    program = """
import sys
import features.definitions, features.transform
from features.assemble import without_history
from tests.contracts.payments import payments
assert len(without_history(payments(20, seed=9))) == 20
assert "numba" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_without_history_only_the_request_speaks() -> None:
    features = without_history(payments(20, seed=9))
    request = [f.name.startswith("request_") for f in FEATURES]
    assert np.isnan(features.values[:, ~np.array(request)]).all()
    assert not np.isnan(features.values[:, NAMES.index("request_amount")]).any()
    assert set(features.degraded) == {("features_unavailable",)}
    assert (features.age_ms == -1).all()


@pytest.mark.parametrize("rows", [1, 3, 7, 1000])
def test_every_family_gives_a_row_the_same_bits_in_any_batch(rows: int) -> None:
    """The trigonometry of distances and logarithms among them."""
    n = min(4096, 1024 * rows)
    batch, seen = located(payments(n, seed=2), seed=3), random_histories(n, seed=4)
    whole = transform(batch, reading_of(seen, n))
    for start in range(0, n, rows):
        stop = min(start + rows, n)
        given = {role: rows_of(given, start, stop) for role, given in seen.items()}
        part = reading_of(given, stop - start)
        assert transform(batch.slice(start, stop), part).tobytes() == whole[start:stop].tobytes()


def test_a_new_feature_is_one_declaration_and_one_function() -> None:
    def cents(out: Float32, rows: Rows) -> None:
        out[:, 0] = rows.hundredths % 100

    about = Subject("request", "request", "never")
    wording = Wording(AMOUNT, "the amount ends in {value} cents")
    declared = about.feature("cents", "cents of the amount", wording, dtype="int")
    more = about.computed_by(cents, declared)
    batch = payments(50, seed=2)
    values = transform(batch, Reading.blank(50), (*FAMILIES, more))
    assert values[:, -1].tolist() == (batch.amount_hundredths() % 100).tolist()
    assert values[:, :-1].tobytes() == transform(batch, Reading.blank(50)).tobytes()


def test_what_an_unreadable_state_would_say_is_missing() -> None:
    given = random_histories(40, seed=3)
    given["merchant"] = replace(given["merchant"], present=np.arange(40) % 2 == 0)
    values = transform(payments(40, seed=2), reading_of(given, 40))
    merchant = [j for j, f in enumerate(FEATURES) if f.entity == "merchant"]
    assert np.isnan(values[1::2, merchant]).all()
    known = values[0::2, NAMES.index("merchant_count_30d")]
    assert not np.isnan(known).any()


def test_what_is_divided_by_nothing_is_missing_not_infinite() -> None:
    """An amount of a hundredth of a fils, and a history of such amounts."""
    batch = payment(amount_minor=10_000)
    values = features_of(batch, saw("merchant", count=[3] * 4, total=[0] * 4))
    assert np.isnan(values["merchant_amount_ratio_30d"]).all()
    assert np.isnan(values["merchant_amount_zscore_30d"]).all()
    assert values["merchant_mean_amount_30d"] == [0]
