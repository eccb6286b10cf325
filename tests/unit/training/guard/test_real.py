"""Honest real sets pass; their columns that give the label away are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.layout.layout import load_layout, parse_layout
from data.load.payment_reader import read_payments
from training.guard.guard import inspect_columns, inspect_history, inspect_layout
from training.sets.dataset import Dataset
from training.sets.schema import FeatureSchema
from training.sets.split import DAY_MS
from training.sets.tabular import read_table

DATA = Path("../shared/data")
SEED = 7

pytestmark = pytest.mark.slow
absent = pytest.mark.skipif(not DATA.exists(), reason="the real sets are not in ../shared/data")

TABLES = {"german-credit": "german_credit", "uci-default": "uci_default_credit",
          "ulb": "ulb_creditcard"}  # fmt: skip
HISTORIES = {
    "paysim": "paysim_sample_51k",
    "sparkov": "sparkov_gen_A_kaggle_layout",
    "handbook": "handbook_raw",
    "amlsim": "amlsim_20k",
}
OWN_COLUMNS = """
name = "{name}"
[columns]
transaction_id = {{ row_number = true, prefix = "o-" }}
customer_id = {{ row_number = true, prefix = "o-" }}
timestamp = {time}
amount = {{ column = "{amount}", round = true, absolute = true }}
currency = {{ constant = "USD" }}
type = {{ constant = "purchase" }}
[label]
column = "{label}"
delay_days = 1
[tabular]
numeric = {numeric}
categorical = {categorical}
"""
WHOLE = {
    "sparkov": (
        '"trans_date_trans_time"', "amt", "is_fraud", ["amt", "lat", "long", "city_pop"],
        ["cc_num", "merchant", "category", "gender", "street", "city", "zip", "job", "dob"],
    ),
    "handbook": (
        '"TX_DATETIME"', "TX_AMOUNT", "TX_FRAUD", ["TX_AMOUNT", "TX_TIME_SECONDS"],
        ["CUSTOMER_ID", "TERMINAL_ID"],
    ),
    "paysim": (
        '{ column = "step", unit = "hours", base = "2017-01-01T00:00:00Z" }', "amount", "isFraud",
        ["amount", "oldbalanceOrg", "newbalanceOrig", "oldbalanceDest", "newbalanceDest"],
        ["type", "nameOrig", "nameDest"],
    ),
}  # fmt: skip

TOLD = {"paysim": ["oldbalanceOrg"]}
"""In its simulator only thieves empty an account, which deserves a warning."""


def file(folder: str, part: str = "") -> Path:
    return next(p for p in sorted((DATA / folder).glob("*.parquet")) if part in p.name)


def table(name: str, more: tuple[str, ...] = ()) -> Dataset:
    """A set's honest columns and `more`."""
    time, amount, label, numeric, categorical = WHOLE[name]
    text = OWN_COLUMNS.format(
        name=name, time=time, amount=amount, label=label, numeric=numeric,
        categorical=[*categorical, *more],
    )  # fmt: skip
    return read_table(file(HISTORIES[name]), parse_layout(text, name), lambda *_: None)


def refused(found) -> dict[str, str]:
    return {f.column: f.code for f in found if f.severity == "refuse"}


@absent
@pytest.mark.parametrize("layout", TABLES)
def test_honest_tables_have_no_finding(layout: str) -> None:
    data = read_table(file(TABLES[layout]), load_layout(layout), lambda *_: None)
    assert inspect_columns(data, SEED) == []


@absent
@pytest.mark.parametrize("layout", HISTORIES)
def test_honest_histories_have_no_finding(layout: str) -> None:
    history = read_payments(file(HISTORIES[layout], "trans" if layout == "amlsim" else ""),
                            layout, limit=300_000).history()  # fmt: skip
    assert inspect_history(history, SEED) == []


@absent
@pytest.mark.parametrize("name", WHOLE)
def test_all_honest_columns_of_a_set_pass_as_a_table(name: str) -> None:
    found = inspect_columns(table(name), SEED)
    assert [f.column for f in found] == TOLD.get(name, [])
    assert refused(found) == {}


@absent
def test_the_handbooks_scenario_is_refused() -> None:
    data = table("handbook", ("TX_FRAUD_SCENARIO",))
    assert refused(inspect_columns(data, SEED)) == {"TX_FRAUD_SCENARIO": "tells-label"}
    renamed = replace(data, schema=_renamed(data, "TX_FRAUD_SCENARIO", "batch"))
    assert refused(inspect_columns(renamed, SEED)) == {"batch": "tells-label"}


@absent
def test_paysims_flag_is_refused_by_its_name_where_its_values_say_nothing() -> None:
    """The sample holds none of the sixteen flagged payments."""
    found = inspect_columns(table("paysim", ("isFlaggedFraud",)), SEED)
    assert refused(found) == {"isFlaggedFraud": "speaking-name"}


def test_the_fraud_step_of_an_account_is_refused_by_its_name() -> None:
    """By its values it is no worse than an honest column: it finds 78 % of the transfers that
    count as laundering on 3 % of the others, as these need two such accounts."""
    text = load_layout("amlsim").digest_text
    mapped = text.replace("[columns]", '[columns]\nmerchant_category = "fraudStep"', 1)
    found = inspect_layout(parse_layout(mapped, "amlsim"))
    assert refused(found) == {"fraudStep": "speaking-name"}


@absent
def test_a_charge_off_day_beside_an_honest_table_is_refused() -> None:
    """As in the real set: filled for nearly every fraud and 2 % of the others."""
    data = read_table(file("uci_default_credit"), load_layout("uci-default"), lambda *_: None)
    rng = np.random.default_rng(1)
    filled = rng.random(len(data)) < np.where(data.label == 1, 0.98, 0.02)
    day = np.where(filled, data.timestamp_ms / DAY_MS + rng.integers(60, 200, len(data)), np.nan)
    names = (*data.schema.names, "charge_off_date")
    wider = replace(
        data,
        values=np.ascontiguousarray(np.c_[data.values, day.astype(np.float32)]),
        schema=FeatureSchema.tabular(names, data.schema.categorical),
    )
    assert set(refused(inspect_columns(wider, SEED))) == {"charge_off_date"}


def _renamed(data: Dataset, name: str, other: str) -> FeatureSchema:
    names = [other if n == name else n for n in data.schema.names]
    return FeatureSchema.tabular(tuple(names), data.schema.categorical)
