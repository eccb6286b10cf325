"""Drift of columns as the page shows it."""

from __future__ import annotations

from serve_app.console.views.drift_view import drift_of
from tests.contracts.console_jobs import SUMMARY


def test_the_largest_drift_comes_first() -> None:
    columns = drift_of(SUMMARY["drift"])
    assert [(c.name, c.psi, c.word) for c in columns] == [
        ("montant", "0.310", "much"),
        ("pays", "0.210", "some"),
        ("pays", "0.140", "some"),
        ("commerçant", "0.030", "little"),
        ("horodatage", "–", "unknown"),
    ]
    assert (columns[1].model, columns[1].of) == ("bank-transfers", "country")
    assert "PSI 0.310" in columns[0].bar
    assert columns[-1].bar == ""


def test_only_a_large_change_of_missing_values_is_told() -> None:
    assert [bool(c.missing) for c in drift_of(SUMMARY["drift"])] == [
        False,
        False,
        True,
        False,
        False,
    ]


def test_an_unknown_level_is_shown_as_it_is() -> None:
    (column,) = drift_of([{"column": "a", "psi": 0.1, "level": "novel"}])
    assert (column.name, column.word) == ("a", "novel")
