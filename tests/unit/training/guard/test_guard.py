"""Leaks in payments: fields filled from the label, early labels, features that use the future."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.generator.stream import GeneratorSpec, generate
from data.history.history import History
from data.layout.layout import parse_layout
from data.load.payment_reader import read_payments
from features.backfill import backfill
from fraud.errors import NotTrainable
from training.config import SplitConfig
from training.guard.findings import GuardFindings
from training.guard.guard import inspect_backfill, inspect_dataset, inspect_history, inspect_layout
from training.sets.dataset import Dataset, build_dataset
from training.sets.split import DAY_MS, split_by_time

HANDBOOK = Path("../shared/data/handbook_raw/dev_2018-04-01_to_2018-08-14.parquet")
START_MS = 1_767_571_200_000
SEED = 5


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 days of generated payments."""
    spec = GeneratorSpec(150, START_MS, START_MS + 60 * DAY_MS, seed=2, fraud_share=0.02)
    path = tmp_path_factory.mktemp("world") / "payments.parquet"
    pq.write_table(pa.concat_tables(generate(spec)), path)
    return path


@pytest.fixture(scope="module")
def history(file: Path) -> History:
    return read_payments(file, "canonical").history()


@pytest.fixture(scope="module")
def data(history: History, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return build_dataset(history, tmp_path_factory.mktemp("cache"), lambda *_: None)


def codes(findings) -> list[tuple[str, str]]:
    return [(f.severity, f.code) for f in findings]


def test_a_clean_history_has_no_finding(history: History, data: Dataset) -> None:
    split = split_by_time(
        data.timestamp_ms, data.label, data.known_at_ms, SplitConfig(shared_calibration=True)
    )
    assert int((history.label == 1).sum()) > 50
    assert inspect_history(history, SEED) == []
    assert inspect_backfill(history, data, SEED) == []
    assert inspect_dataset(data, split, SEED) == []


@pytest.mark.parametrize("field", ["merchant_category", "device_id", "channel"])
def test_a_field_that_holds_the_kind_of_fraud_is_refused(history: History, field: str) -> None:
    rng = np.random.default_rng(0)
    kind = (np.maximum(history.label, 0) * rng.integers(1, 4, len(history))).astype(str).tolist()
    leaking = replace(history, batch=replace(history.batch, **{field: kind}))
    findings = inspect_history(leaking, SEED)
    assert codes(findings) == [("refuse", "tells-label")]
    assert findings[0].sentence.startswith(f"{field} alone")


def test_labels_known_with_their_payment_are_refused(history: History) -> None:
    """Windows would include them before they serve the payment itself."""
    at_ms = np.array(history.batch.timestamp_ms, np.int64)
    assert codes(inspect_history(replace(history, known_at_ms=at_ms), SEED)) == [
        ("refuse", "early-label")
    ]


def test_features_that_know_later_labels_are_refused(history: History, data: Dataset) -> None:
    """The matrix is made as if every label were known a millisecond after its payment; in truth it
    took days."""
    at_ms = np.array(history.batch.timestamp_ms, np.int64)
    hasty = replace(history, known_at_ms=np.where(history.label >= 0, at_ms + 1, -1))
    parts = [f.values for f in backfill([hasty.batch], [hasty.label_events()])]
    knowing = replace(data, values=np.concatenate(parts))
    assert codes(inspect_backfill(history, knowing, SEED)) == [("refuse", "later-labels")]


def test_features_that_know_later_payments_are_refused(history: History, data: Dataset) -> None:
    column = data.schema.names.index("customer_count_24h")
    values = np.array(data.values)
    values[:-1, column] = values[1:, column]
    findings = inspect_backfill(history, replace(data, values=values), SEED)
    assert codes(findings) == [("refuse", "later-labels")]
    assert "customer_count_24h" in findings[0].sentence


LAYOUT = """
name = "own"
[columns]
transaction_id = "id"
customer_id = "who"
timestamp = "at"
amount = "amount"
currency = {{ constant = "EUR" }}
type = {{ constant = "purchase" }}
merchant_category = "{category}"
[label]
column = "is_fraud"
delay_days = 3
"""


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("mcc", []),
        ("TX_FRAUD_SCENARIO", [("refuse", "speaking-name")]),
        ("fraud_team_region", [("warn", "speaking-name")]),
        ("is_fraud", [("refuse", "label-column")]),
    ],
)
def test_a_layout_that_maps_the_label(category: str, expected: list[tuple[str, str]]) -> None:
    assert codes(inspect_layout(parse_layout(LAYOUT.format(category=category), "own"))) == expected


def test_what_was_found_is_tagged() -> None:
    layout = parse_layout(LAYOUT.format(category="is_fraud"), "own")
    assert GuardFindings().tags() == {"leak_guard": "clean"}
    with pytest.raises(NotTrainable, match="--allow-leaks label-column"):
        GuardFindings().take(inspect_layout(layout))
    found = GuardFindings(["label-column"])
    found.take(inspect_layout(layout))
    assert found.tags() == {"leak_guard": "label-column", "allowed_leaks": "label-column"}


@cache
def _handbook(extra: str = "") -> History:
    from data.layout.layout import load_layout

    text = load_layout("handbook").digest_text
    mapped = text.replace("[columns]", f"[columns]\n{extra}", 1)
    return read_payments(HANDBOOK, parse_layout(mapped, "handbook"), limit=250_000).history()


@pytest.mark.slow
@pytest.mark.skipif(not HANDBOOK.exists(), reason="the handbook set is not in ../shared/data")
def test_the_handbooks_scenario_is_caught_and_without_it_there_is_nothing() -> None:
    leaking = _handbook('merchant_category = "TX_FRAUD_SCENARIO"')
    findings = inspect_history(leaking, SEED)
    assert codes(findings) == [("refuse", "tells-label")]
    assert "merchant_category" in findings[0].sentence
    blank = [None] * len(leaking)
    clean = replace(leaking, batch=replace(leaking.batch, merchant_category=blank))
    assert inspect_history(clean, SEED) == []
