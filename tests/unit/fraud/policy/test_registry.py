"""Policies by the name of their kind."""

from __future__ import annotations

import pytest
from fraud.policy.registry import POLICIES, policy_of


@pytest.mark.parametrize("kind", POLICIES)
def test_every_kind_asks_one_voter(kind):
    assert [call.variant for call in policy_of(kind, ["a"], "odd").calls(1)] == ["a", "odd"]


def test_an_unknown_kind_and_a_single_plan_of_two_are_refused():
    with pytest.raises(ValueError, match="kind must be one of single, ensemble"):
        policy_of("lottery", ["a"], None)
    with pytest.raises(ValueError, match="expected one variant"):
        policy_of("single", ["a", "b"], None)
