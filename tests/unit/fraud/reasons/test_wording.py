"""Wordings name columns that exist."""

from __future__ import annotations

from dataclasses import replace

import pytest

from features.definitions import FEATURES, NAMES
from fraud.reasons.wording import OwnHistory, check_wordings, wording_of_column

WORDING = wording_of_column("V1")


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({"requires": ("customer_count_1y", 3.0)}, "customer_count_1y"),
        ({"stated_by": "request_total"}, "request_total"),
        ({"own": OwnHistory("customer", "customer_sum", NAMES[0])}, "customer_sum"),
        ({"own": OwnHistory("customer", NAMES[0], NAMES[0], "a", "b")}, "a, b"),
        ({"of_payment": "amount"}, "amount"),
    ],
)
def test_a_column_that_does_not_exist_is_an_error(change, unknown):
    with pytest.raises(ValueError, match=f"do not exist: {unknown}$"):
        check_wordings([WORDING, replace(WORDING, **change)], NAMES)


def test_an_unknown_code_is_an_error():
    with pytest.raises(ValueError, match="NEW_CODE"):
        check_wordings([replace(WORDING, code="NEW_CODE")], NAMES)


def test_the_wordings_of_features_read_features():
    read = {name for feature in FEATURES for name in feature.wording.columns}
    assert read
    assert read <= set(NAMES)
