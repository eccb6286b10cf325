"""Some of many rows."""

from __future__ import annotations

import pyarrow as pa

from references.profile.thinned import thinned


def test_rows_are_spread_from_the_first_to_the_last() -> None:
    assert thinned(pa.array(range(101)), 5).to_pylist() == [0, 25, 50, 75, 100]
    table = pa.table({"a": range(101), "b": range(101)})
    assert thinned(table, 3).to_pydict() == {"a": [0, 50, 100], "b": [0, 50, 100]}


def test_few_rows_stay_as_they_are() -> None:
    few = pa.array(["x", None, "y"])
    assert thinned(few, 3) is few
