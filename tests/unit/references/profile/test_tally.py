"""Counts of a column over chunks."""

from __future__ import annotations

import pyarrow as pa

from data.cells.texts import DEFAULT_MISSING
from references.profile.tally import LONGEST_CATEGORY, MOST_DISTINCT, ColumnTally


def tallied(*chunks: pa.Array) -> ColumnTally:
    tally = ColumnTally(DEFAULT_MISSING)
    for chunk in chunks:
        tally.add(chunk)
    return tally


def test_equal_values_in_different_spellings_are_one() -> None:
    tally = tallied(pa.array(["1", " 1 ", "1.0", "x", "NA", None]), pa.array(["TRUE", "true"]))
    assert (tally.rows, tally.filled) == (8, 6)
    assert tally.counts == {"1": 3, "x": 1, "true": 2}


def test_beyond_the_limit_only_the_exact_counts_remain() -> None:
    most = pa.array([str(i) for i in range(MOST_DISTINCT)])
    assert tallied(most, most).counts is not None
    over = tallied(most, pa.array(["another", None]))
    assert over.counts is None
    assert (over.rows, over.filled) == (MOST_DISTINCT + 2, MOST_DISTINCT + 1)
    over.add(pa.array(["more"]))
    assert (over.rows, over.filled) == (MOST_DISTINCT + 3, MOST_DISTINCT + 2)


def test_long_texts_are_counted_by_their_beginning() -> None:
    tally = tallied(pa.array(["x" * 10_000, "x" * 20_000]))
    assert tally.counts == {"x" * LONGEST_CATEGORY: 2}


def test_chunks_of_different_types_are_counted_together() -> None:
    tally = tallied(pa.array([1, 2]), pa.array(["2", "3"]), pa.nulls(2), pa.array([1.0, None]))
    assert (tally.rows, tally.filled) == (8, 5)
    assert tally.counts == {"1": 2, "2": 2, "3": 1}


def test_lists_are_filled_and_not_told_apart() -> None:
    tally = tallied(pa.array([[1, 2], [3], None], pa.list_(pa.int64())))
    assert (tally.rows, tally.filled) == (3, 2)
    assert tally.counts is None
