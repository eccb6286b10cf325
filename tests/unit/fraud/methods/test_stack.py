"""Stacked log-odds: what holds whatever the votes are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.combine.combine import combine, probability_of
from fraud.decision import Vote
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.methods.stack import Stack, logit

unit = st.floats(0, 1)
weight = st.floats(0.02, 3)


def _plan(weights: tuple[float, ...], intercept: float) -> Ensemble:
    members = tuple(Member(name, w) for name, w in zip("abc", weights, strict=True))
    thresholds = Thresholds(0.2, 0.5, 0.9)
    return Ensemble(members, thresholds, method=Stack(intercept))


@given(st.tuples(unit, unit, unit), st.tuples(weight, weight, weight), st.floats(-5, 5))
def test_it_is_the_logistic_of_weighted_log_odds(votes, weights, intercept) -> None:
    scores = {name: np.array([v]) for name, v in zip("abc", votes, strict=True)}
    odds = intercept + sum(
        w * float(np.log(p / (1 - p)))
        for w, p in zip(weights, np.clip(votes, 1e-6, 1 - 1e-6), strict=True)
    )
    found = probability_of(_plan(weights, intercept), scores, 1)
    assert found[0] == pytest.approx(1 / (1 + np.exp(-np.clip(odds, -700, 700))), rel=1e-9)


@given(st.tuples(unit, unit), st.tuples(weight, weight, weight), st.floats(-5, 5))
def test_a_missing_member_counts_as_the_others_do(votes, weights, intercept) -> None:
    plan = _plan(weights, intercept)
    scores = {name: np.array([v]) for name, v in zip("ab", votes, strict=True)}
    w, odds = np.array(weights[:2]), logit(np.array(votes))
    stand_in = 1 / (1 + np.exp(-float(w @ odds / w.sum())))
    whole = probability_of(plan, {**scores, "c": np.array([stand_in])}, 1)
    for gap in ({}, {"c": np.array([np.nan])}):
        assert probability_of(plan, {**scores, **gap}, 1) == pytest.approx(whole, rel=1e-5)


@given(st.lists(unit, min_size=5, max_size=5), st.integers(0, 4), unit)
def test_a_higher_vote_never_lowers_the_probability(votes, row, raised) -> None:
    a, b = np.array(votes), np.array(votes[::-1])
    stack = Stack(-1.0)
    before = stack.combine([a, b], [0.4, 0.8], 1.2, 5)
    higher = a.copy()
    higher[row] = max(raised, a[row])
    assert (stack.combine([higher, b], [0.4, 0.8], 1.2, 5) >= before).all()


def test_rows_stand_alone_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    votes = {name: rng.random(257) for name in "abc"}
    plan = _plan((0.5, 0.3, 0.4), -0.7)
    whole = probability_of(plan, votes, 257)
    single = [probability_of(plan, {n: v[i : i + 1] for n, v in votes.items()}, 1)[0]
              for i in range(257)]  # fmt: skip
    assert whole.tolist() == single


def test_rows_without_a_vote_are_left_to_the_rules() -> None:
    plan = _plan((1.0, 1.0, 1.0), 0.0)
    votes = [Vote("a", "v", "ok", np.array([np.nan, 0.5]), 1.0)]
    combined = combine(plan, votes, 2)
    assert np.isnan(combined.probability[0])
    assert combined.probability[1] == pytest.approx(0.5)
    assert [why[-1] for why in combined.degraded] == ["rules_only", "variant_missing:c"]


def test_an_intercept_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="intercept"):
        _plan((1.0, 1.0, 1.0), float("nan"))
