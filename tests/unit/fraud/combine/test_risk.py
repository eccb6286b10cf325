"""Scores, levels and outcomes never contradict each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.combine.combine import combine
from fraud.combine.risk import bands, risk_scores
from fraud.combine.thresholds import outcomes
from fraud.decision import Vote
from fraud.ensemble import Ensemble, Member, Thresholds

cut = st.floats(0, 1, exclude_min=True) | st.sampled_from([1e-6, 0.02, 0.5, 0.998, 1.0])
cuts = st.tuples(cut, cut, cut).map(sorted)
unit = st.floats(0, 1)


@given(cuts, st.lists(st.tuples(unit, unit), min_size=1, max_size=60), st.none() | unit)
def test_a_score_lies_in_the_quarter_of_its_outcome_and_grows_within(three, rows, strange) -> None:
    t = Thresholds(*three, strange)
    at_edges = [(edge, 0.0) for edge in (0.0, *three, 1.0)]
    p, anomaly = (np.array(column) for column in zip(*rows, *at_edges, strict=True))
    outcome = outcomes(t, p, anomaly)
    scores = risk_scores(t, p, outcome)
    assert all(25 * o <= s <= 25 * o + 24 for o, s in zip(outcome.tolist(), scores, strict=True))
    by_probability = outcomes(t, p, np.full(len(p), np.nan))
    ranked = risk_scores(t, p, by_probability)
    pairs = sorted(zip(p.tolist(), ranked, strict=True))
    assert [s for _, s in pairs] == sorted(ranked)
    alone = [risk_scores(t, p[i : i + 1], outcome[i : i + 1])[0] for i in range(len(p))]
    assert alone == scores


def test_a_probability_of_998_in_a_thousand_may_be_a_review_and_looks_like_one() -> None:
    t = Thresholds(0.2, 0.9, 0.999)
    p = np.array([0.998, 0.999, 1.0])
    assert risk_scores(t, p, outcomes(t, p, np.full(3, np.nan))) == [74, 75, 99]


def test_an_anomaly_alone_has_the_lowest_score_of_a_challenge() -> None:
    t = Thresholds(0.2, 0.5, 0.9, anomaly_challenge=0.99)
    p = np.array([0.01, 0.19])
    assert risk_scores(t, p, outcomes(t, p, np.array([0.995, 1.0]))) == [25, 25]


def test_without_a_vote_the_score_is_the_lowest_of_the_outcome() -> None:
    plan = Ensemble((Member("a", 1.0),), Thresholds(0.2, 0.5, 0.9), kind="single")
    made = combine(plan, [Vote("a", "v", "late", None, 1.0)], 2)
    assert risk_scores(plan.thresholds, made.probability, made.outcome) == [0, 0]


@pytest.mark.parametrize("p", [0.1, 0.55, 0.95])
def test_what_rules_decide_is_never_scored_as_a_block(p: float) -> None:
    plan = Ensemble((Member("a", 1.0),), Thresholds(0.2, 0.5, 0.9), kind="single")
    made = combine(plan, [Vote("a", "v", "late", None, 1.0)], 1, np.array([p]))
    (score,) = risk_scores(plan.thresholds, made.probability, made.outcome)
    assert score // 25 == made.outcome[0] <= 2


def test_the_bands_meet_and_do_not_overlap() -> None:
    rows = bands(Thresholds(0.2, 0.5, 0.5))
    assert [row[0] for row in rows[1:]] == [row[1] for row in rows[:-1]]
    assert [s for *_, low, high in rows for s in range(low, high + 1)] == list(range(100))
