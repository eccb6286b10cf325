"""Coverage times closeness."""

from __future__ import annotations

import pytest

from references.matching.judging.similarity import similarity_of
from references.matching.match import ColumnMatch


def _column(importance: float, closeness: float, *, held: bool = True) -> ColumnMatch:
    return ColumnMatch("c", "f" if held else None, 0.5, 0.5, closeness, importance, False)


def test_importance_weighs_both_parts() -> None:
    found = similarity_of([_column(0.6, 1.0), _column(0.2, 0.5), _column(0.2, 0, held=False)])
    assert found.coverage == pytest.approx(0.8)
    assert found.closeness == pytest.approx((0.6 + 0.1) / 0.8)
    assert found.value == pytest.approx(0.7)


def test_columns_of_no_importance_count_alike() -> None:
    found = similarity_of([_column(0, 1.0), _column(0, 0, held=False)])
    assert (found.coverage, found.closeness) == (0.5, 1.0)


def test_nothing_in_common_is_zero() -> None:
    assert similarity_of([_column(1.0, 0, held=False)]).value == 0
    assert similarity_of([]).value == 0
