"""Parts of tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from loadtests.bench.offline.matching.part import Part, made_parts

TABLE = pa.table({"row": np.arange(400)})
PART = Part("cards", "cards", TABLE, np.arange(400) % 7 == 0, {"amount": "row"})


def test_a_part_keeps_consecutive_rows_from_the_middle() -> None:
    thinned = PART.thinned(100)
    assert thinned.table == TABLE.slice(150, 100)
    assert thinned.label.tolist() == PART.label[150:250].tolist()
    assert (thinned.name, thinned.family, thinned.fields) == ("cards", "cards", PART.fields)


def test_a_small_part_stays_whole() -> None:
    assert PART.thinned(1_000).table == TABLE


def test_made_tables_have_no_label_and_are_families_of_their_own() -> None:
    makers = {
        "ones": lambda n, rng: {"a": np.ones(n)},
        "drawn": lambda n, rng: {"b": rng.normal(size=n)},
    }
    ones, drawn = made_parts(makers, 5, np.random.default_rng(0))
    assert (ones.name, ones.family, ones.table.to_pydict()) == ("ones", "ones", {"a": [1.0] * 5})
    assert drawn.table.num_rows == 5
    assert drawn.label.size == 0
    assert drawn.fields == {}
