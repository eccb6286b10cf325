"""Customers over arms: sticky, in proportion, and moved only where weights change."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fraud.policy.ab import AB, Arm
from fraud.policy.split import SLOTS, slots_of
from tests.contracts.decisions import transactions
from tests.contracts.plans import Asked, leaf


def ab(*weights: float, salt: str = "spring") -> AB:
    arms = tuple(Arm(f"a{i}", w, leaf(f"v{i}")) for i, w in enumerate(weights))
    return AB(arms, salt)


def test_each_row_is_asked_about_at_the_variants_of_its_arm_alone():
    scores = {f"v{i}": [0.1] * 300 for i in range(3)}
    asked = Asked(ab(50, 30, 20), transactions(300), scores)
    assert set(asked.groups) == {"a0", "a1", "a2"}
    assert dict(asked.calls) == {f"v{i}": asked.groups[f"a{i}"] for i in range(3)}


@pytest.mark.slow
def test_a_million_customers_split_as_weights_say():
    customers = [f"c{i}" for i in range(1_000_000)]
    for salt in ("spring", "autumn"):
        split = ab(62.5, 25, 10, 2.5, salt=salt)
        shares = np.bincount(split._arm_of[slots_of(salt, ["t"] * len(customers), customers)])
        assert (np.abs(shares / 1e4 - [62.5, 25, 10, 2.5]) < 0.2).all()


def test_experiments_with_other_salts_split_independently():
    customers = [f"c{i}" for i in range(40_000)]
    for salts in (("a", "b"), ("é" * 63 + "a", "é" * 63 + "b")):
        one, other = (slots_of(salt, ["t"] * 40_000, customers) < 5000 for salt in salts)
        assert abs(float(np.mean(one & other)) - 0.25) < 0.01


def test_a_customer_stays_whatever_else_is_in_the_batch():
    whole = transactions(50)
    scores = {f"v{i}": [0.1] * 50 for i in range(2)}
    arm_of = {
        row: arm for arm, rows in Asked(ab(60, 40), whole, scores).groups.items() for row in rows
    }
    for row in range(50):
        assert Asked(ab(60, 40), whole.take([row]), scores).groups == {arm_of[row]: [0]}


def test_the_slot_of_a_customer_never_changes():
    assert slots_of("s", ["a", "a", "b"], ["c1", "c2", "c1"]).tolist() == [2144, 6357, 8075]


def test_an_arm_that_is_taken_out_leaves_its_customers_to_the_control():
    before = ab(50, 30, 20)
    after = before.without("a1")
    assert [arm.weight for arm in after.arms] == [80, 0, 20]
    moved = before._arm_of != after._arm_of
    assert (before._arm_of[moved] == 1).all()
    assert (after._arm_of[moved] == 0).all()


def test_another_salt_takes_nothing_over():
    before, after = ab(50, 50), ab(50, 50, salt="autumn")
    assert after.continued(before) is after


@pytest.mark.parametrize("weights", [(50, 49.99), (50.001, 49.999), (60, 60)])
def test_weights_that_do_not_add_up_in_hundredths_are_refused(weights):
    with pytest.raises(ValueError, match="weights"):
        ab(*weights)


def test_slots_that_overlap_or_leave_gaps_are_refused():
    one, two = ab(50, 50).arms
    with pytest.raises(ValueError, match="every slot once"):
        AB((one, replace(two, slots=((0, 5000),))))
    with pytest.raises(ValueError, match="as many slots"):
        AB((one, replace(two, slots=((5000, SLOTS - 1),))))


def test_a_split_below_another_deals_by_its_weights():
    customers = [f"c{i}" for i in range(40_000)]
    outer = ab(50, 50, salt="outer")._arm_of[slots_of("outer", ["t"] * 40_000, customers)]
    inner = ab(20, 80, salt="inner")._arm_of[slots_of("inner", ["t"] * 40_000, customers)]
    assert abs(float(np.mean(inner[outer == 0] == 0)) - 0.2) < 0.01
