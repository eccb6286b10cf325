"""Reasons that lie in the whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from references.matching.columns.units import CONVERSIONS
from references.matching.judging.refusal import fit_reasons
from references.matching.judging.thresholds import THRESHOLDS
from references.matching.match import ColumnMatch, ModelMatch
from tests.contracts.matching import shop_table, stored

TABULAR = stored(shop_table(100, 1)).reference
HISTORY = replace(TABULAR, kind="history")


def _column(name: str, importance: float, name_score: float = 1.0) -> ColumnMatch:
    return ColumnMatch(name, name, 0.9, name_score, 0.9, importance, False)


def _match(*columns: ColumnMatch, **changed: float) -> ModelMatch:
    return replace(ModelMatch("r", 0.9, 1.0, 0.9, None, columns), **changed)


WIDE = tuple(_column(name, 0.25) for name in ("amount", "age", "city", "job"))


def test_a_good_match_has_no_reasons() -> None:
    assert fit_reasons(TABULAR, _match(*WIDE), THRESHOLDS) == []


def test_little_coverage_says_which_columns_lack() -> None:
    lacking = replace(WIDE[1], file_column=None)
    reasons = fit_reasons(TABULAR, _match(lacking, *WIDE[2:], coverage=0.4), THRESHOLDS)
    assert reasons[0].code == "low-similarity"
    assert "age" in reasons[0].needed


@pytest.mark.parametrize(("kind", "similarity"), [("tabular", 0.5), ("history", 0.3)])
def test_each_kind_has_its_least_similarity(kind: str, similarity: float) -> None:
    reference = TABULAR if kind == "tabular" else HISTORY
    reasons = fit_reasons(reference, _match(*WIDE, similarity=similarity), THRESHOLDS)
    assert [reason.code for reason in reasons] == ["low-similarity"]


def test_anonymous_columns_need_structure() -> None:
    columns = tuple(_column(f"V{i}", 0.25) for i in range(4))
    without = fit_reasons(TABULAR, _match(*columns, structure=0.1), THRESHOLDS)
    assert [reason.code for reason in without] == ["other-domain"]
    assert fit_reasons(TABULAR, _match(*columns, structure=0.5), THRESHOLDS) == []


def test_other_names_need_strong_structure() -> None:
    columns = tuple(replace(column, name_score=0.1) for column in WIDE)
    assert fit_reasons(TABULAR, _match(*columns, structure=0.5), THRESHOLDS)
    assert fit_reasons(TABULAR, _match(*columns, structure=0.8), THRESHOLDS) == []


def test_few_columns_need_names_and_rows() -> None:
    named, vague = _column("amount", 1.0), _column("amount", 1.0, 0.5)
    assert fit_reasons(TABULAR, _match(named, domain_auc=0.55), THRESHOLDS) == []
    assert fit_reasons(TABULAR, _match(named, domain_auc=0.9), THRESHOLDS)
    assert fit_reasons(TABULAR, _match(vague, domain_auc=0.55), THRESHOLDS)


def test_a_conversion_that_is_not_confirmed_does_not_make_a_file_unlike() -> None:
    cents = replace(
        WIDE[0], distribution_score=0.0, proposed=CONVERSIONS["minor-to-major"], importance=0.4
    )
    assert fit_reasons(TABULAR, _match(cents, *WIDE[1:], similarity=0.5), THRESHOLDS) == []
    unlike = tuple(replace(column, distribution_score=0.3) for column in WIDE[1:])
    assert fit_reasons(TABULAR, _match(cents, *unlike, similarity=0.2), THRESHOLDS)
