"""Which variants an ensemble asks."""

from __future__ import annotations

from fraud.policy.ensemble import Ensemble, single

from fraud.policy.interface import VariantCall


def test_an_ensemble_asks_every_variant_about_every_row():
    assert Ensemble(["a", "b"], "odd").calls(7) == (
        VariantCall("a"),
        VariantCall("b"),
        VariantCall("odd"),
    )


def test_a_single_plan_asks_one():
    assert single(["a"], None).calls(1) == (VariantCall("a"),)


def test_no_rows_ask_no_variant():
    assert single(["a"], "odd").calls(0) == ()
