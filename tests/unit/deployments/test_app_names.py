"""Names of applications, and back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.app_names import app_name, variant_of
from fraud.variant import VARIANT_PATTERN, VariantRef

REFS = st.builds(
    VariantRef,
    st.from_regex(rf"\A{VARIANT_PATTERN}\Z"),
    st.just("") | st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z"),
    st.just("") | st.from_regex(r"\A[0-9a-f]{12}\Z"),
)


@given(REFS)
def test_the_name_of_a_pool_gives_the_variant_back(ref: VariantRef) -> None:
    name = app_name(str(ref))
    assert variant_of(name) == str(ref)
    # Of Serve's logs, HAProxy's backends and sockets alike.
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,200}", name)


def test_names_that_look_alike_have_pools_of_their_own() -> None:
    alike = ("a", "a.2fd6da9b13f3", "a@2fd6da9b13f3", "v2fd6da9b13f3/a", "a.v2fd6da9b13f3", "t/a")
    assert len({app_name(name) for name in alike}) == len(alike)
    assert [variant_of(app_name(name)) for name in alike] == list(alike)


def test_pools_of_champions_keep_their_names() -> None:
    assert app_name("random-forest") == "variant-random-forest"
    assert app_name("xgboost@2fd6da9b13f3") == "variant-xgboost.V2fd6da9b13f3"
    assert app_name("acme/xgboost") == "variant-xgboost.Tacme"


@pytest.mark.parametrize(
    "name",
    ["decisions", "variant-", "variant-XGB", "variant-a.Vb", "variant-a.T", "variant-a.Tb/c"],
)
def test_other_applications_are_no_pools(name: str) -> None:
    assert variant_of(name) is None


def test_what_is_no_variant_has_no_pool() -> None:
    with pytest.raises(ValueError, match="variant"):
        app_name("Not A Variant")
