"""Codes of tenants: one each, and safe as the name of a folder, an S3 key and an MLflow alias."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.errors import ArtifactRefused
from fraud.payment.limits import TENANT_PATTERN
from models.store.owner_code import owner_code, owner_from

TENANTS = st.from_regex(TENANT_PATTERN.replace("$", r"\Z"))


@given(TENANTS)
def test_a_code_leads_back_to_its_tenant(tenant: str) -> None:
    code = owner_code(tenant)
    assert owner_from(code) == tenant
    assert re.fullmatch(r"[a-z0-9_-]{1,192}", code)


@given(TENANTS, TENANTS)
def test_two_tenants_differ_where_case_does_not_count(a: str, b: str) -> None:
    assert (owner_code(a).lower() == owner_code(b).lower()) == (a == b)


def test_case_differs_and_plain_names_stay() -> None:
    assert owner_code("mine-2") == "mine-2"
    assert owner_code("Mine") == "_4dine"
    assert owner_code("champion.json") == "champion_2ejson"
    assert owner_code("m..") == "m_2e_2e"


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "-x", "a" * 65, "a\n", "ü"])
def test_what_is_no_tenant_has_no_code(name: str) -> None:
    with pytest.raises(ArtifactRefused, match="not the name of a tenant"):
        owner_code(name)


@pytest.mark.parametrize("code", ["", "..", "_", "_6dine", "Mine", "_2e", "a_zz", "a/b", "-x"])
def test_what_no_tenant_has_is_no_code(code: str) -> None:
    assert owner_from(code) is None
