"""Tables about other things: what their labels follow from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from data.generator.tables.families import OTHER_DOMAINS
from data.generator.tables.other_domains import (
    CHURN,
    CREDIT_DEFAULT,
    GIBBERISH,
    INSURANCE_CLAIMS,
    SENSORS,
)
from data.guess.words import declared


def test_none_is_about_payments() -> None:
    assert all(family.domain != "payments" for family in OTHER_DOMAINS.values())


def test_claims_of_fire_and_theft_without_a_witness_are_doubtful(
    drawn: Callable[..., Any],
) -> None:
    rows, risk = drawn(INSURANCE_CLAIMS)
    means = {c: risk[rows["cause"] == c].mean() for c in ("fire", "theft", "glass")}
    assert means["fire"] > means["theft"] > means["glass"] + 1
    dear, alone = rows["damage"] > 3_000, rows["witness"] == "none"
    assert risk[dear & alone].mean() > risk[dear & ~alone].mean() + 0.8


def test_who_paid_late_before_stops_paying(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(CREDIT_DEFAULT)
    assert risk[rows["delays"] >= 2].mean() > risk[rows["delays"] == 0].mean() + 1.5
    assert (rows["worst"] <= rows["delays"]).all()
    assert (rows["bill"] <= rows["limit"]).all()


def test_who_is_free_to_leave_leaves(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(CHURN)
    monthly = rows["contract"] == "monthly"
    assert risk[monthly].mean() > risk[~monthly].mean() + 1
    assert risk[rows["calls"] >= 3].mean() > risk[rows["calls"] == 0].mean() + 0.8


def test_a_machine_that_shakes_fails(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(SENSORS)
    assert risk[rows["shake"] > 4].mean() > risk[rows["shake"] < 1.5].mean() + 1


def test_gibberish_has_no_reason_and_no_known_word(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(GIBBERISH)
    assert not np.any(risk)
    assert not {field.english for field in GIBBERISH.fields} & set(declared().meaning)
    assert set(rows) == {field.key for field in GIBBERISH.fields} | {"time"}
