"""Accounts that were taken over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from data.generator.tables.money_transfers import MONEY_TRANSFERS


def test_the_thief_empties_the_account_to_a_new_payee(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(MONEY_TRANSFERS)
    emptied, new = rows["amount"] > 0.6 * rows["balance"], rows["payee_age"] < 1
    of_new = risk[emptied & new].mean() - risk[~emptied & new].mean()
    of_known = risk[emptied & ~new].mean() - risk[~emptied & ~new].mean()
    assert of_new > of_known + 0.5
    assert of_known > 0.5


def test_a_new_device_is_risky(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(MONEY_TRANSFERS)
    means = {kind: risk[rows["device"] == kind].mean() for kind in ("trusted", "known", "new")}
    assert means["new"] > means["known"] + 1
    assert abs(means["known"] - means["trusted"]) < 0.3


def test_a_short_session_says_nothing_in_a_branch(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(MONEY_TRANSFERS)
    short, branch = rows["session"] < 30, rows["channel"] == "branch"
    assert risk[short & ~branch].mean() > risk[~short & ~branch].mean() + 0.6
    assert risk[short & branch].mean() < risk[short & ~branch].mean() - 0.3


def test_mules_are_young_accounts_with_little_on_them(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(MONEY_TRANSFERS)
    young, poor = rows["receiver_age"] < 100, rows["receiver_balance"] < 300
    assert risk[young & poor].mean() > risk[~young & poor].mean() + 0.3
    assert risk[young & poor].mean() > risk[young & ~poor].mean() + 0.3


def test_nobody_sends_more_than_there_is(drawn: Callable[..., Any]) -> None:
    rows, _ = drawn(MONEY_TRANSFERS)
    assert (rows["amount"] <= rows["balance"] + 0.01).all()
    assert rows["amount"].min() >= 0.01
