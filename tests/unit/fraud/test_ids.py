from __future__ import annotations

import os
import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.ids import decided_at_ms, decision_ids


@given(st.integers(0, 2**48 - 1), st.integers(0, 300), st.integers(0, 2**32))
def test_ids_are_rising_uuid7s_that_hold_their_time(now_ms, n, seed):
    made = decision_ids(n, now_ms, random.Random(seed).randbytes)
    assert len(set(made)) == n
    assert made == sorted(made)
    for text in made:
        parsed = uuid.UUID(text)
        assert str(parsed) == text
        assert parsed.version == 7
        assert parsed.variant == uuid.RFC_4122
        assert decided_at_ms(text) == now_ms


def test_later_ids_sort_after_earlier_ones():
    early, late = (
        decision_ids(50, ms, os.urandom) for ms in (1_700_000_000_000, 1_700_000_000_001)
    )
    assert max(early) < min(late)


@pytest.mark.parametrize("now_ms", [-1, 2**48])
def test_a_time_that_does_not_fit_is_refused(now_ms):
    with pytest.raises(ValueError, match="now_ms"):
        decision_ids(1, now_ms, os.urandom)


@pytest.mark.parametrize(
    "text",
    ["", "x" * 36, "7c9e6679-7425-40de-944b-e07fc1f90ae7", "019a0000-0001-7000-8000-00"],
)
def test_only_a_uuid7_has_a_time(text):
    with pytest.raises(ValueError, match=r"."):
        decided_at_ms(text)
