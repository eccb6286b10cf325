"""Columns as the forest sees them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bulk.scoring.anomaly.prepared_columns import PreparedColumns
from bulk.scoring.part_cells import cells_of
from bulk.scoring.plan import FileColumn
from references.profile.column import ColumnKind


def prepared(columns, **kinds):
    sample = cells_of(pa.table(columns), list(columns), ".", [])
    looked_at = [FileColumn(name, kind) for name, kind in kinds.items()]
    return PreparedColumns.of(sample, looked_at), sample


def test_numbers_become_signed_logs_and_unknown_ones_the_median():
    found, sample = prepared({"x": ["0", "9", "-9", None]}, x=ColumnKind.NUMBER)
    values = found.values(sample)
    assert values[:3, 0] == pytest.approx([0, np.log(10), -np.log(10)])
    assert np.isnan(values[3, 0])
    assert found.imputed(values)[3, 0] == 0


def test_rare_categories_are_far_from_frequent_ones():
    found, sample = prepared({"k": ["a", "a", "a", None]}, k=ColumnKind.CATEGORY)
    values = found.values(sample)[:, 0]
    assert values == pytest.approx([-np.log(0.75)] * 3 + [-np.log(0.25)])
    unseen = cells_of(pa.table({"k": ["b"]}), ["k"], ".", [])
    assert found.values(unseen)[0, 0] == pytest.approx(-np.log(1 / 8))


def test_columns_with_one_value_are_left_out():
    found, _ = prepared(
        {"x": ["1", "1"], "k": ["a", "b"], "y": ["1", "2"]},
        x=ColumnKind.NUMBER,
        k=ColumnKind.CATEGORY,
        y=ColumnKind.NUMBER,
    )
    # Both categories are equally frequent: nothing sets their rows apart.
    assert found.names == ("y",)
