"""Which variants an ensemble asks."""

from __future__ import annotations

from fraud.policy.ensemble import Ensemble, single
from fraud.policy.interface import Ask


def test_an_ensemble_asks_every_variant_about_every_row():
    assert Ensemble(["a", "b"], "odd").ask(7) == (Ask("a"), Ask("b"), Ask("odd"))


def test_a_single_plan_asks_one():
    assert single(["a"], None).ask(1) == (Ask("a"),)


def test_no_rows_ask_no_variant():
    assert single(["a"], "odd").ask(0) == ()
