"""Drift against a profile, which holds no rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from bulk.scoring.part_cells import cells_of
from bulk.scoring.plan import PlannedArtifact
from bulk.scoring.summary.drift import drift_counts, drift_table
from references.profile.column import QUANTILES, ColumnKind
from tests.contracts.scored_jobs import column, planned, profile


def numbers(values):
    quantiles = tuple(np.quantile(values, np.linspace(0, 1, QUANTILES)).tolist())
    return profile("x", quantiles=quantiles)


def model(*columns):
    return planned("cards@0", "tabular", columns, PlannedArtifact("x", "0" * 64, "/x"), None)


def drift(planned_model, **columns):
    cells = cells_of(pa.table(columns), list(columns), ".", ["NA"])
    return drift_table(planned_model, drift_counts(planned_model, cells))


def test_the_same_distribution_does_not_drift():
    values = np.random.default_rng(0).lognormal(size=5000)
    (found,) = drift(model(column("x", profile=numbers(values))), x=values)
    assert found["psi"] < 0.02
    assert found["level"] == "steady"
    assert (found["column"], found["file_column"], found["reference"]) == ("x", "x", "cards@0")


def test_a_shift_is_large():
    values = np.random.default_rng(0).lognormal(size=5000)
    (found,) = drift(model(column("x", profile=numbers(values))), x=values * 5)
    assert found["level"] == "large"


def test_a_value_that_most_rows_have_is_a_bin_of_its_own():
    values = np.where(np.random.default_rng(0).random(5000) < 0.6, 0.1, 7.3)
    (found,) = drift(model(column("x", profile=numbers(values))), x=values)
    assert found["psi"] < 0.01


def test_conversions_count():
    values = np.random.default_rng(0).lognormal(size=5000)
    cents = column("x", "cents", profile=numbers(values), conversion="minor-to-major", factor=0.01)
    (found,) = drift(model(cents), cents=values * 100)
    assert found["level"] == "steady"


def test_categories_and_missing_values():
    kind = profile("k", ColumnKind.CATEGORY, categories=(("a", 0.7), ("b", 0.3)))
    planned_model = model(column("k", categorical=True, profile=kind))
    same = drift(planned_model, k=["a"] * 700 + ["b"] * 300)
    other = drift(planned_model, k=["a"] * 100 + ["c"] * 700 + ["NA"] * 200)
    assert same[0]["psi"] == pytest.approx(0, abs=1e-6)
    assert other[0]["level"] == "large"
    assert (other[0]["missing"], other[0]["missing_before"]) == (0.2, 0)


def test_few_rows_are_called_so():
    (found,) = drift(model(column("x", profile=numbers(np.arange(100.0)))), x=["1", "2"])
    assert found["level"] == "few"


def test_columns_without_a_counterpart_or_a_distribution_are_left_out():
    times = profile("t", ColumnKind.TIME)
    found = drift(model(column("x", None), column("t", profile=times)), t=["2026-01-01"])
    assert found == []


def test_the_largest_drift_comes_first():
    values = np.random.default_rng(0).normal(size=5000)
    measured = numbers(values)
    found = drift(
        model(*(column(name, profile=replace(measured, name=name)) for name in "abc")),
        a=values,
        b=values + 2,
        c=pa.array([None] * 5000, pa.float64()),
    )
    # A column that has become empty has changed most of all.
    assert [one["column"] for one in found] == ["c", "b", "a"]
    assert [one["level"] for one in found] == ["large", "large", "steady"]
