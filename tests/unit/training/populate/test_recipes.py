"""The references that come with Quorum: about a dozen, of both kinds and every family."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.generator.tables.families import PAYMENTS
from data.layout.layout import layout_names
from fraud.errors import InvalidInput
from training.auto.set_name import set_name
from training.populate.recipes import MEMBERS, chosen, shipped


def test_names_are_unique_and_may_name_a_set() -> None:
    names = [recipe.name for recipe in shipped()]
    assert len(set(names)) == len(names) >= 12
    for recipe in shipped():
        assert set_name(Path("x.csv"), recipe.name) == recipe.name
    for family in PAYMENTS:
        assert sum(name.startswith(family) for name in names) == MEMBERS


def test_both_kinds_and_known_layouts() -> None:
    assert {recipe.kind for recipe in shipped()} == {"tabular", "history"}
    assert {recipe.layout for recipe in shipped()} <= {"", *layout_names()}
    assert all(recipe.config.anomaly for recipe in shipped())


def test_recipes_are_chosen_by_name_in_their_order() -> None:
    found = chosen(shipped(), ["wallet-topups-0", "ulb"])
    assert [recipe.name for recipe in found] == ["ulb", "wallet-topups-0"]
    every = shipped()
    assert chosen(every, []) == every
    with pytest.raises(InvalidInput, match="no recipe ulbs: expected one of ulb, paysim"):
        chosen(shipped(), ["ulbs"])
