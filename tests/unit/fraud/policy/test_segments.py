"""The first segment that matches decides."""

from __future__ import annotations

import pytest

from fraud.ensemble import Thresholds
from fraud.policy.segments import Condition, Segment, Segments
from tests.contracts.decisions import transactions
from tests.contracts.plans import Asked, leaf

STRICT = Thresholds(0.01, 0.02, 0.03)


def test_the_first_match_wins_and_unknown_values_match_nothing():
    batch = transactions(6)  # USD and JPY in turns; amounts 1.00, 101, 1.02, 103, 1.04, 105
    batch.channel[0] = None
    policy = Segments(
        (
            Segment("large", Condition(amount_from=100.0), leaf("a")),
            Segment("online", Condition((("channel", ("online",)),)), leaf("b"), STRICT),
            Segment("usd", Condition((("currency", ("USD",)),)), leaf("c")),
        ),
        leaf("d"),
    )
    asked = Asked(policy, batch, {name: [0.1] * 6 for name in "abcd"})
    assert asked.groups == {"large": [1, 3, 5], "online": [2, 4], "usd": [0]}
    by_arm = {group.arm: group.ensemble.thresholds for group in asked.settled}
    assert by_arm["online"] == STRICT
    assert by_arm["usd"] != STRICT


def test_what_no_segment_matches_goes_to_the_default():
    policy = Segments((Segment("gbp", Condition((("currency", ("GBP",)),)), leaf("a")),), leaf("b"))
    asked = Asked(policy, transactions(3), {"b": [0.1] * 3})
    assert (asked.groups, asked.calls) == ({"others": [0, 1, 2]}, [("b", [0, 1, 2])])


def test_bounds_of_an_amount_are_from_and_below():
    condition = Condition(amount_from=1.02, amount_below=1.04)
    batch = transactions(6)
    assert condition.matches(batch, None).tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize("names", [("a", "a"), ("others",)])
def test_names_that_are_not_unique_are_refused(names):
    segments = tuple(Segment(name, Condition(amount_from=1.0), leaf("a")) for name in names)
    with pytest.raises(ValueError, match="each name once"):
        Segments(segments, leaf("b"))
