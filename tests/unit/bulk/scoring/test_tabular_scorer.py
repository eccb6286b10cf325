"""A file's columns in the order of the model's, with conversions and codes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from bulk.scoring.part_cells import cells_of
from bulk.scoring.tabular_scorer import TabularScorer, scored
from data.category_codes import category_code
from fraud.errors import ArtifactRefused
from tests.contracts.scored_jobs import column, tabular_model


def cells(**columns):
    return cells_of(pa.table(columns), list(columns), ".", ["NA"])


def test_columns_are_in_the_order_of_the_model(tmp_path):
    model = tabular_model(tmp_path, [column("a", "betrag"), column("b", "anzahl")])
    found = TabularScorer(model).matrix(cells(anzahl=["1", "2"], betrag=[0.5, None]))
    np.testing.assert_array_equal(found, np.array([[0.5, 1], [np.nan, 2]], np.float32))


def test_a_confirmed_conversion_is_applied(tmp_path):
    cents = column("a", "cents", conversion="minor-to-major", factor=0.01)
    found = TabularScorer(tabular_model(tmp_path, [cents])).matrix(cells(cents=["1250", "NA"]))
    assert found[0, 0] == np.float32(12.5)
    assert np.isnan(found[1, 0])


def test_times_become_seconds(tmp_path):
    when = column("a", "when", conversion="time-to-epoch-s", time_format="%d/%m/%Y %H:%M")
    found = TabularScorer(tabular_model(tmp_path, [when])).matrix(
        cells(when=["02/01/1970 00:01", "never"])
    )
    assert found[0, 0] == 86_460
    assert np.isnan(found[1, 0])


def test_categories_get_the_codes_of_training(tmp_path):
    kind = column("kind", "art", categorical=True)
    # In this training NA was a category, whatever the file thinks of it.
    model = tabular_model(tmp_path, [kind], missing=("?",))
    found = TabularScorer(model).matrix(cells(art=["NA", "fuel ", "?", None]))
    assert found[:2, 0].tolist() == [category_code("NA"), category_code("fuel")]
    assert np.isnan(found[2:, 0]).all()


def test_numbers_that_meant_a_missing_value_in_training_still_do(tmp_path):
    age = column("age", factor=2.0)
    model = tabular_model(tmp_path / "a", [age], missing=("-999", "no"))
    found = TabularScorer(model).matrix(file := cells(age=["30", "-999.0", "no", "NA"]))
    np.testing.assert_array_equal(found[:, 0], [60, np.nan, np.nan, np.nan])
    # Another training knew no such number.
    other = tabular_model(tmp_path / "b", [age])
    np.testing.assert_array_equal(
        TabularScorer(other).matrix(file)[:, 0], np.array([60, -1998, 0, np.nan], np.float32)
    )


def test_columns_that_the_file_lacks_are_unknown(tmp_path):
    model = tabular_model(tmp_path, [column("a"), column("b", None), column("c", "gone")])
    found = TabularScorer(model).matrix(cells(a=["1"]))
    np.testing.assert_array_equal(found, np.array([[1, np.nan, np.nan]], np.float32))


def test_a_model_of_other_columns_is_refused(tmp_path):
    model = tabular_model(tmp_path / "m", [column("a")])
    other = tabular_model(tmp_path / "o", [column("b")])
    with pytest.raises(ArtifactRefused, match="columns"):
        TabularScorer(replace(model, model=other.model))


def test_many_rows_are_scored_as_few_are(tmp_path):
    model = tabular_model(tmp_path, [column("a")])
    values = np.linspace(-4, 4, 10_000, dtype=np.float32)[:, None]
    together = scored(model.model, values)
    assert together == pytest.approx(1 / (1 + np.exp(-values[:, 0])), abs=1e-6)
