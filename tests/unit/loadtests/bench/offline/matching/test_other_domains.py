"""Made tables about other things."""

from __future__ import annotations

import numpy as np

from loadtests.bench.offline.matching.other_domains import other_tables


def test_a_seed_gives_the_same_tables() -> None:
    one, other = (
        [part.table for part in other_tables(300, np.random.default_rng(1))] for _ in range(2)
    )
    assert one == other
    assert {table.num_rows for table in one} == {300}


def test_no_two_are_about_the_same() -> None:
    parts = list(other_tables(300, np.random.default_rng(1)))
    assert len({part.family for part in parts}) == len(parts) > 20
    assert len({tuple(part.table.column_names) for part in parts}) == len(parts)
