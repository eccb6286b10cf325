"""A classifier between a file and a sketch."""

from __future__ import annotations

import numpy as np

from references.matching.judging.domain import domain_auc


def test_rows_of_one_source_cannot_be_told_apart() -> None:
    rng = np.random.default_rng(1)
    auc = domain_auc(rng.normal(0, 1, (600, 4)), rng.normal(0, 1, (600, 4)), seed=0)
    assert auc is not None
    assert auc < 0.6


def test_columns_that_look_alike_one_by_one_are_seen_together() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, 600)
    alike = np.column_stack([x, x + rng.normal(0, 0.05, 600)])
    apart = rng.normal(0, 1, (600, 2))
    auc = domain_auc(alike, apart, seed=0)
    assert auc is not None
    assert auc > 0.75


def test_unknown_values_are_allowed() -> None:
    rng = np.random.default_rng(1)
    file = rng.normal(0, 1, (200, 2))
    file[::3, 0] = np.nan
    assert domain_auc(file, rng.normal(0, 1, (200, 2)), seed=0) is not None


def test_too_few_rows_have_no_opinion() -> None:
    assert domain_auc(np.zeros((5, 2)), np.zeros((500, 2)), seed=0) is None


def test_the_seed_decides() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, (300, 3)), rng.normal(0.2, 1, (300, 3))
    assert domain_auc(a, b, seed=3) == domain_auc(a, b, seed=3)
