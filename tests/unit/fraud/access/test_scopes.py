"""Scopes: how they are written, and what they grant."""

from __future__ import annotations

import pytest

from fraud.access.scopes import ALL_SCOPES, DEFAULT_SCOPES, SCOPES, granted, parse_scopes
from tests.contracts.root import ROOT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("decide", ("decide",)),
        ("read,decide", ("decide", "read")),
        (" plans , label,plans ", ("label", "plans")),
        ("read,", ("read",)),
        ("admin", ("admin",)),
        (",".join(reversed(ALL_SCOPES)), ALL_SCOPES),
    ],
)
def test_a_list_is_read_whatever_its_order_and_blanks(text: str, expected: tuple[str, ...]) -> None:
    assert parse_scopes(text) == expected


@pytest.mark.parametrize("text", ["write", "Read", "decide read", "decide;read", "decide,x", "*"])
def test_an_unknown_scope_is_refused_with_those_that_exist(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown scope .*; the scopes are") as refused:
        parse_scopes(text)
    assert all(scope in str(refused.value).rpartition(";")[2] for scope in SCOPES)


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_a_key_has_one_scope_at_least(text: str) -> None:
    with pytest.raises(ValueError, match="at least one scope; the scopes are decide, read"):
        parse_scopes(text)


def test_admin_holds_all_others_and_no_other_scope_holds_any() -> None:
    assert granted(["admin"]) == granted(ALL_SCOPES) == frozenset(SCOPES)
    for scope in SCOPES.keys() - {"admin"}:
        assert granted([scope]) == {scope}
    assert granted(["decide", "label"]) == {"decide", "label"}


def test_a_scope_of_another_release_grants_nothing() -> None:
    assert granted(["of tomorrow", "read"]) == {"read"}
    assert granted([]) == granted(["of tomorrow"]) == frozenset()


def test_the_page_for_operators_gives_each_scope_its_meaning() -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for scope, meaning in SCOPES.items():
        assert f"| `{scope}` | {meaning} |" in text


def test_a_key_without_scopes_of_its_own_does_not_change_plans() -> None:
    assert granted(DEFAULT_SCOPES) == {"decide", "read", "label"}
