"""Stolen cards that are turned into balance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from data.generator.tables.wallet_topups import WALLET_TOPUPS


def test_a_ring_tests_many_cards_on_one_phone(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(WALLET_TOPUPS)
    many, failed = rows["cards"] >= 4, rows["failed"] >= 2
    assert risk[many & failed].mean() > risk[many & ~failed].mean() + 0.5
    assert risk[many & failed].mean() > risk[~many & failed].mean() + 1


def test_round_amounts_count_if_they_come_one_after_the_other(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(WALLET_TOPUPS)
    is_round, again = rows["amount"] % 10 == 0, rows["hour_count"] >= 2
    of_again = risk[is_round & again].mean() - risk[~is_round & again].mean()
    of_first = risk[is_round & ~again].mean() - risk[~is_round & ~again].mean()
    assert of_again > of_first + 0.5
    assert 0.4 < is_round.mean() < 0.7
    assert rows["amount"].min() >= 1


def test_an_emulator_is_risky_above_all_with_a_wallet_of_a_few_hours(
    drawn: Callable[..., Any],
) -> None:
    rows, risk = drawn(WALLET_TOPUPS)
    emulated = np.isin(rows["phone"], ["sdk_gphone64", "unknown"])
    fresh = rows["wallet_age"] < 12
    of_fresh = risk[emulated & fresh].mean() - risk[~emulated & fresh].mean()
    of_old = risk[emulated & ~fresh].mean() - risk[~emulated & ~fresh].mean()
    assert of_fresh > of_old + 0.5
    assert of_old > 0.4


def test_who_is_known_is_safer_and_prepaid_cards_are_not(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(WALLET_TOPUPS)
    means = {name: risk[rows["source"] == name].mean() for name in ("prepaid_card", "debit_card")}
    assert means["prepaid_card"] > means["debit_card"] + 0.7
    assert risk[rows["kyc"] == "full"].mean() < risk[rows["kyc"] == "light"].mean() - 1
