"""The readiness of a Combiner of another version, in the middle of a roll-out."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from deployments.links.codec import encode, read_result
from deployments.readiness import Readiness

NUMBER = 8
"""Of its kind in messages."""
NOW = Readiness(False, ("no plan",), ("xgboost",), "default", 3, True, ("PostgreSQL is away",))


def test_a_combiner_of_before_lacks_what_came_later() -> None:
    document = asdict(NOW)
    del document["plan_kept"], document["troubles"]
    assert read_result(memoryview(encode((NUMBER, document)))) == Readiness(
        False, ("no plan",), ("xgboost",), "default", 3, plan_kept=False, troubles=()
    )


def test_a_later_combiner_says_more() -> None:
    document = asdict(NOW) | {"later": 1}
    assert read_result(memoryview(encode((NUMBER, document)))) == NOW


def test_nobody_can_change_one() -> None:
    with pytest.raises(AttributeError):
        NOW.ready = True  # type: ignore[misc]
