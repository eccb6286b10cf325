"""Borrowed and invented identities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from data.generator.tables.account_opening import ACCOUNT_OPENING


def test_an_invented_person_has_a_young_address_and_a_young_phone(
    drawn: Callable[..., Any],
) -> None:
    rows, risk = drawn(ACCOUNT_OPENING)
    mail, phone = rows["mail_age"] < 2, rows["phone_age"] < 2
    of_both = risk[mail & phone].mean() - risk[~mail & phone].mean()
    of_mail = risk[mail & ~phone].mean() - risk[~mail & ~phone].mean()
    assert of_both > of_mail + 0.5
    assert of_mail > 0.5


def test_a_thin_file_is_risky_for_those_who_are_no_longer_young(
    drawn: Callable[..., Any],
) -> None:
    rows, risk = drawn(ACCOUNT_OPENING)
    older, thin = rows["age"] > 50, rows["lines"] <= 1
    of_older = risk[thin & older].mean() - risk[~thin & older].mean()
    of_young = risk[thin & (rows["age"] < 25)].mean() - risk[~thin & (rows["age"] < 25)].mean()
    assert of_older > of_young + 0.5


def test_who_types_from_a_list_types_fast(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(ACCOUNT_OPENING)
    assert risk[rows["typing"] < 80].mean() > risk[rows["typing"] > 200].mean() + 0.7


def test_many_applications_come_from_one_address(drawn: Callable[..., Any]) -> None:
    rows, risk = drawn(ACCOUNT_OPENING)
    assert rows["same_address"].min() == 1
    assert risk[rows["same_address"] >= 4].mean() > risk[rows["same_address"] == 1].mean() + 1.5


def test_applicants_are_adults_and_pay_something_in(drawn: Callable[..., Any]) -> None:
    rows, _ = drawn(ACCOUNT_OPENING)
    assert (rows["age"].min(), rows["age"].max()) >= (18, 70)
    assert rows["age"].max() <= 92
    assert rows["deposit"].min() >= 1
