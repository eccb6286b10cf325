"""Stolen card numbers in an online shop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from data.generator.tables.online_shop import ONLINE_SHOP


def test_a_fresh_address_of_a_free_provider_is_risky(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(ONLINE_SHOP)
    fresh, free = rows["mail_age"] < 10, np.isin(rows["mail"], ["mailinator.com", "proton.me"])
    assert risk[fresh & ~free].mean() > risk[~fresh & ~free].mean() + 1
    assert risk[fresh & free].mean() > risk[fresh & ~free].mean() + 0.5


def test_another_address_counts_if_a_card_number_pays(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(ONLINE_SHOP)
    elsewhere = np.isin(rows["ship"], ["other_address", "freight_forwarder"])
    card, saved = rows["pay"] == "card", rows["pay"] == "saved_card"
    assert risk[elsewhere & card].mean() > risk[~elsewhere & card].mean() + 1
    assert abs(risk[elsewhere & saved].mean() - risk[~elsewhere & saved].mean()) < 0.4
    assert risk[saved].mean() < risk[card].mean() - 1


def test_a_first_order_of_dear_things_is_risky(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(ONLINE_SHOP)
    dear, first = rows["basket"] / rows["items"] ** 0.7 > 60, rows["orders"] == 0
    of_first = risk[dear & first].mean() - risk[~dear & first].mean()
    of_others = risk[dear & ~first].mean() - risk[~dear & ~first].mean()
    assert of_first > of_others + 0.5


def test_every_order_has_a_thing_and_a_try(drawn: Callable[..., Any]) -> None:
    rows, _ = drawn(ONLINE_SHOP)
    assert (rows["items"].min(), rows["attempts"].min()) == (1, 1)
    assert rows["basket"].min() > 0
