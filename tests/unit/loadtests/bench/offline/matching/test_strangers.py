"""Made payments of strangers."""

from __future__ import annotations

import numpy as np

from loadtests.bench.offline.matching.strangers import stranger_tables
from references.matching.columns.payments import REQUIRED, read_payments


def test_a_seed_gives_the_same_tables() -> None:
    one, other = (
        [part.table for part in stranger_tables(300, np.random.default_rng(1))] for _ in range(2)
    )
    assert one == other
    assert {table.num_rows for table in one} == {300}


def test_each_has_who_paid_when_and_how_much() -> None:
    for part in stranger_tables(2_000, np.random.default_rng(1)):
        found = read_payments(part.table, 2_000, {})
        assert set(REQUIRED) <= found.columns.keys(), part.name
