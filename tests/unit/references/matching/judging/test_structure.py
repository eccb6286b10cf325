"""Whether columns move together alike."""

from __future__ import annotations

import numpy as np

from references.matching.judging.structure import structure_agreement


def _mixed(n: int, seed: int, mixing: int) -> np.ndarray:
    weights = np.random.default_rng(mixing).normal(0, 1, (9, 9))
    return np.random.default_rng(seed).normal(0, 1, (n, 9)) @ weights


def test_the_same_source_agrees_whatever_its_scale_and_shift() -> None:
    agreement = structure_agreement(_mixed(500, 1, 7) * 40 + 3, _mixed(500, 2, 7))
    assert agreement is not None
    assert agreement > 0.9


def test_another_source_does_not() -> None:
    agreement = structure_agreement(_mixed(500, 1, 8), _mixed(500, 2, 7))
    assert agreement is not None
    assert agreement < 0.6


def test_few_columns_have_no_structure() -> None:
    table = _mixed(500, 1, 7)[:, :5]
    assert structure_agreement(table, table) is None


def test_constant_columns_are_left_out() -> None:
    table = _mixed(500, 1, 7)
    table[:, 0] = 1
    table[:, 1] = np.nan
    agreement = structure_agreement(table, _mixed(500, 2, 7))
    assert agreement is not None
    assert agreement > 0.9


def test_columns_that_do_not_move_together_say_nothing() -> None:
    rng = np.random.default_rng(3)
    assert structure_agreement(_mixed(500, 1, 7), rng.normal(0, 1, (500, 9))) is None
