"""Which rows a sample holds: the same whatever the chunks, and each as likely as another."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from references.profile.draw import LONGEST_TEXT, RowDraw, priorities

ROWS = 10_000


def drawn(size: int, cut: int, seed: int = 0) -> list[int]:
    draw = RowDraw(size, seed)
    for start in range(0, ROWS, cut):
        draw.add({"row": pa.array(range(start, min(start + cut, ROWS)))})
    assert draw.rows_seen == ROWS
    return draw.rows().column("row").to_pylist()


def test_the_sample_does_not_depend_on_the_chunks() -> None:
    whole = drawn(200, ROWS)
    assert len(whole) == 200
    assert whole == sorted(whole)
    for cut in (37, 1_000, 9_999):
        assert drawn(200, cut) == whole
    assert drawn(200, 1_000, seed=1) != whole


def test_every_row_is_as_likely_as_another() -> None:
    counts = np.zeros(ROWS)
    for seed in range(300):
        counts[drawn(100, ROWS, seed)] += 1
    assert counts.sum() == 300 * 100
    tenths = counts.reshape(10, -1).sum(axis=1)
    # Binomial: 3,000 expected in each tenth, with a deviation of about 52.
    assert np.abs(tenths - 3_000).max() < 260
    assert counts.max() < 20


def test_rows_next_to_each_other_have_unrelated_priorities() -> None:
    first, second = priorities(0, 5_000), priorities(0, 5_000, seed=1)
    assert len(np.unique(first)) == 5_000
    low = first < np.uint64(2**63)
    assert abs(low.mean() - 0.5) < 0.03
    assert abs(np.corrcoef(low[1:], low[:-1])[0, 1]) < 0.05
    assert abs(np.corrcoef(low, second < np.uint64(2**63))[0, 1]) < 0.05
    assert priorities(4_000, 1_000).tolist() == first[4_000:].tolist()


def test_a_small_table_is_kept_whole() -> None:
    draw = RowDraw(100)
    draw.add({"a": pa.array(["x", None]), "b": pa.array([1.5, 2.5])})
    draw.add({"a": pa.array([], pa.string()), "b": pa.array([], pa.float64())})
    assert draw.rows().to_pydict() == {"a": ["x", None], "b": [1.5, 2.5]}
    assert RowDraw(5).rows().num_columns == 0


def test_long_texts_are_cut() -> None:
    draw = RowDraw(5)
    draw.add({"a": pa.array(["x" * 1_000_000])})
    (text,) = draw.rows().column("a").to_pylist()
    assert text == "x" * LONGEST_TEXT


@pytest.mark.parametrize("later", [pa.array([None, None]), pa.array([7, 8]), pa.array(["7", "8"])])
def test_chunks_of_other_types_become_texts(later: pa.Array) -> None:
    draw = RowDraw(10)
    draw.add({"a": pa.array([1.5])})
    draw.add({"a": later})
    draw.add({"a": pa.array([2.5])})
    read = draw.rows().column("a").to_pylist()
    assert read[0] in ("1.5", 1.5)
    assert len(read) == 4


def test_long_bytes_are_cut_as_the_texts_that_they_are() -> None:
    draw = RowDraw(10)
    cells = ["é" * 5_000, "17.0", None]
    stored = [None if text is None else text.encode() for text in cells]
    draw.add({"b": pa.array([*stored, b"\xff" * 5_000])})
    kept = draw.rows().column("b").to_pylist()
    assert kept == ["é" * LONGEST_TEXT, "17", None, None]
