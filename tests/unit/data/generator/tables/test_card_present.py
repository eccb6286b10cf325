"""Copied and stolen cards in shops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from data.generator.tables.card_present import CARD_PRESENT


def test_a_copied_card_shows_in_shops_whose_goods_can_be_sold_on(
    drawn: Callable[..., Any],
) -> None:
    rows, risk = drawn(CARD_PRESENT)
    copied = np.isin(rows["entry"], ["magstripe", "manual"])
    sold_on = np.isin(rows["mcc"], ["5732", "5944", "4829"])
    there = risk[copied & sold_on].mean() - risk[~copied & sold_on].mean()
    elsewhere = risk[copied & ~sold_on].mean() - risk[~copied & ~sold_on].mean()
    assert there > elsewhere + 1
    assert elsewhere > 1


def test_a_copied_card_is_far_from_its_last_payment(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(CARD_PRESENT)
    copied, far = np.isin(rows["entry"], ["magstripe", "manual"]), rows["distance"] > 100
    of_copied = risk[copied & far].mean() - risk[copied & ~far].mean()
    of_others = risk[~copied & far].mean() - risk[~copied & ~far].mean()
    assert of_copied > of_others > 0


def test_a_stolen_card_is_used_often_and_without_a_pin(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(CARD_PRESENT)
    unverified, often = rows["verified"] == "none", rows["count"] >= 4
    assert risk[unverified & often].mean() > risk[~unverified & often].mean() + 0.5
    assert risk[often].mean() > risk[~often].mean() + 0.5


def test_nobody_signs_for_a_contactless_payment(drawn: Callable[..., Any]) -> None:
    rows, _ = drawn(CARD_PRESENT)
    assert set(rows["verified"][rows["entry"] == "contactless"]) == {"none", "pin"}
    assert "signature" in set(rows["verified"])
