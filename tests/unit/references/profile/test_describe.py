"""The profile of a column out of its counts and a sample. `test_measure.py` has whole tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from data.cells.texts import DEFAULT_MISSING
from references.profile.column import MAX_CATEGORIES, QUANTILES, ColumnKind, ColumnProfile
from references.profile.describe import describe
from references.profile.tally import ColumnTally


def described(
    name: str, cells: pa.Array, sample: pa.Array | None = None, decimal: str = "."
) -> ColumnProfile:
    tally = ColumnTally(DEFAULT_MISSING)
    tally.add(cells)
    return describe(name, tally, cells if sample is None else sample, decimal, DEFAULT_MISSING)


def test_a_column_that_the_sample_missed_is_described_by_its_counts() -> None:
    cells = pa.array([None] * 5_000 + ["12.5", "13.5"])
    profile = described("fee", cells, sample=cells[:1_000])
    assert (profile.kind, profile.filled, profile.distinct) == (ColumnKind.NUMBER, 2, 2)
    assert (profile.quantiles[0], profile.quantiles[-1]) == (12.5, 13.5)


def test_rows_and_shares_are_those_of_the_table_and_not_of_the_sample() -> None:
    cells = pa.array(["a"] * 900 + ["b"] * 100)
    profile = described("letter", cells, sample=cells[850:950])
    assert (profile.rows, profile.filled) == (1_000, 1_000)
    assert profile.categories == (("a", 0.9), ("b", 0.1))


def test_numbers_are_read_with_the_decimal_sign_of_the_file() -> None:
    cells = pa.array([f"{i},5" for i in range(400)])
    profile = described("preis", cells, decimal=",")
    assert profile.kind is ColumnKind.NUMBER
    assert len(profile.quantiles) == QUANTILES
    assert (profile.quantiles[0], profile.quantiles[-1]) == (0.5, 399.5)
    assert not profile.whole


def test_quantiles_keep_seven_digits_and_those_of_times_thirteen() -> None:
    values = np.linspace(1, 2, 400) * 1_234.56789
    assert described("x", pa.array(values)).quantiles[0] == 1_234.568
    at_ms = 1_700_000_000_123 + np.arange(400) * 60_001
    profile = described("created_at", pa.array(at_ms))
    assert (profile.kind, profile.time_format) == (ColumnKind.TIME, "epoch_ms")
    assert profile.quantiles[0] == 1_700_000_000_123
    assert (profile.mean, profile.categories) == (0.0, ())


def test_the_most_frequent_categories_are_kept() -> None:
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(MAX_CATEGORIES + 30)]
    cells = pa.array([word for i, word in enumerate(words) for _ in range(200 - i)])
    profile = described("branch", cells)
    assert profile.kind is ColumnKind.CATEGORY
    assert [text for text, _ in profile.categories] == words[:MAX_CATEGORIES]
    assert profile.distinct == len(words)


@pytest.mark.parametrize(
    ("cells", "kept"),
    [
        (pa.array(["EUR"] * 50), {"categories": (("EUR", 1.0),)}),
        (pa.array([2.5] * 50), {"mean": 2.5, "deviation": 0.0}),
    ],
)
def test_a_constant_keeps_what_its_kind_says(cells: pa.Array, kept: dict[str, object]) -> None:
    profile = described("currency", cells)
    assert profile.kind is ColumnKind.CONSTANT
    assert {name: getattr(profile, name) for name in kept} == kept


def test_one_value_in_some_of_the_rows_is_no_constant() -> None:
    profile = described("currency", pa.array(["EUR"] * 49 + [None]))
    assert profile.kind is ColumnKind.CATEGORY
