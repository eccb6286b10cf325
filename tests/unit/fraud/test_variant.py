"""Names of variants."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.variant import HOUSE, VARIANT_PATTERN, VariantRef, base_variant

TENANTS = st.one_of(st.just(HOUSE), st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,20}\Z"))
VARIANTS = st.from_regex(rf"\A{VARIANT_PATTERN}\Z")
VERSIONS = st.one_of(st.just(""), st.from_regex(r"\A[0-9a-f]{12}\Z"))


@given(VARIANTS, TENANTS, VERSIONS)
def test_a_name_is_read_as_it_was_written(variant: str, owner: str, version: str) -> None:
    ref = VariantRef(variant, owner, version)
    assert VariantRef.parse(str(ref)) == ref
    assert base_variant(str(ref)) == variant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/xgboost",
        "a/",
        "a/b/c",
        "xgboost@",
        "xgboost@2fd6",
        "xgboost@2FD6DA9B13F3",
        "XGBoost",
        "xg boost",
        "xgboost@2fd6da9b13f3 ",
        "x" * 65,
        "../xgboost",
        "xgboost\n",
    ],
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="variant"):
        VariantRef.parse(text)
