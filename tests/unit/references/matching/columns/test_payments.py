"""A file as payments."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from references.matching.columns.payments import read_payments
from tests.contracts.matching import card_table


def test_payments_with_customers_and_merchants_are_evident() -> None:
    table = card_table(2000, 1)
    found = read_payments(table, 2000, {})
    assert found.columns["customer_id"] == "customer_id"
    assert found.columns["amount"] == "amount"
    assert found.columns["timestamp"] == "timestamp"
    assert found.evidence == pytest.approx(1, abs=0.1)


def test_the_senders_word_counts_like_a_name() -> None:
    table = card_table(2000, 1).rename_columns(["t", "who", "when", "how_much", "where"])
    said = {"who": "customer_id", "how_much": "amount", "where": "merchant_id"}
    found = read_payments(table, 2000, said)
    assert found.columns["customer_id"] == "who"
    assert found.columns["amount"] == "how_much"
    assert found.columns["merchant_id"] == "where"
    assert found.draft is not None
    assert found.draft.fields["customer_id"] == "who"


def test_columns_that_are_left_out_or_ignored_are_not_used() -> None:
    table = card_table(500, 1)
    found = read_payments(table, 500, {"merchant_id": ""}, {"customer_id"})
    assert not {"merchant_id", "customer_id"} & found.columns.keys()


def test_repetitions_are_those_of_the_whole_file() -> None:
    rng = np.random.default_rng(3)
    whole = rng.integers(0, 100_000, 1_000_000)  # ten payments a customer
    sample = card_table(20_000, 1).set_column(
        1, "customer_id", pa.array([f"c{i}" for i in whole[::50]])
    )
    found = read_payments(sample, 1_000_000, {})
    assert found.repeats["customer_id"] == pytest.approx(10, rel=0.2)


def test_words_of_other_subjects_speak_against_payments() -> None:
    table = card_table(2000, 1)
    names = ["claim_id", "member_id", "claim_date", "claim_amount", "policy_type"]
    found = read_payments(table.rename_columns(names), 2000, {})
    assert found.other_subjects == {"claim", "policy"}
    assert found.evidence < 0.5


def test_a_meter_is_no_payment() -> None:
    table = card_table(2000, 1).select(["customer_id", "timestamp", "amount"])
    readings = table.rename_columns(["customer_id", "timestamp", "value"])
    assert read_payments(readings, 2000, {}).evidence < 0.65
    assert read_payments(table, 2000, {}).evidence > 0.65


def test_texts_alone_are_no_payments() -> None:
    found = read_payments(pa.table({"a": ["x", "y", "z"] * 30}), 90, {})
    assert (found.draft, dict(found.columns), found.evidence) == (None, {}, 0.0)
