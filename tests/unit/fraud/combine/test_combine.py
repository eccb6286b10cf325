"""Votes in, decisions out: what must hold whatever the votes are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.asking import Asking
from fraud.combine.combine import RULES_ONLY, combine, needs_rules, probability_of
from fraud.combine.thresholds import REVIEW
from fraud.decision import Vote
from fraud.ensemble import Ensemble, Member, SubsetCalibration, Thresholds
from fraud.methods.maximum import Maximum
from fraud.methods.rank import RankAverage, rank_of
from fraud.methods.registry import METHODS
from fraud.methods.stack import Stack
from tests.contracts.decisions import transactions

NAMES = ("a", "b", "c")
N = 5
unit = st.floats(0, 1)
cell = st.one_of(unit, st.just(float("nan")))
column = st.lists(cell, min_size=N, max_size=N)
weight = st.floats(0.01, 100)


def plan(weights=(1.0, 1.0, 1.0), calibration=(), anomaly="odd", anomaly_challenge=0.99):
    members = tuple(Member(n, w) for n, w in zip(NAMES, weights, strict=True))
    thresholds = Thresholds(0.2, 0.5, 0.9, anomaly_challenge)
    return Ensemble(members, thresholds, anomaly, 100, calibration)


def vote(name, scores):
    if scores is None:
        return Vote(name, "", "late", None, 100.0)
    return Vote(name, "v1", "ok", np.array(scores, dtype=np.float64), 1.0)


@st.composite
def ballots(draw):
    return [vote(name, draw(st.one_of(column, st.none()))) for name in (*NAMES, "odd")]


@given(ballots(), st.tuples(weight, weight, weight))
def test_probability_lies_between_the_lowest_and_the_highest_vote(votes, weights):
    combined = combine(plan(weights), votes, N)
    cast = np.array([v.scores for v in votes[:3] if v.scores is not None]).reshape(-1, N)
    for i in range(N):
        numbers = cast[:, i][~np.isnan(cast[:, i])]
        if numbers.size:
            assert numbers.min() - 1e-12 <= combined.probability[i] <= numbers.max() + 1e-12
            assert 0 <= combined.probability[i] <= 1
        else:
            assert np.isnan(combined.probability[i])
    assert needs_rules(plan(weights), votes, N) == bool(np.isnan(combined.probability).any())


@given(ballots(), st.permutations(range(4)))
def test_the_order_of_votes_changes_nothing(votes, order):
    one, other = combine(plan(), votes, N), combine(plan(), [votes[i] for i in order], N)
    assert one.probability.tobytes() == other.probability.tobytes()
    assert one.outcome.tolist() == other.outcome.tolist()
    assert one.degraded == other.degraded


@given(ballots(), st.permutations(range(N)))
def test_each_row_stands_alone(votes, rows):
    index = np.array(rows)
    shuffled = [
        Vote(v.variant, v.version, v.status, None if v.scores is None else v.scores[index], 1.0)
        for v in votes
    ]
    whole, moved = combine(plan(), votes, N), combine(plan(), shuffled, N)
    assert whole.probability[index].tobytes() == moved.probability.tobytes()
    assert whole.outcome[index].tolist() == moved.outcome.tolist()
    assert [whole.degraded[i] for i in rows] == moved.degraded


@given(ballots(), st.integers(0, 2), st.integers(0, N - 1), unit)
def test_a_higher_vote_never_lowers_the_decision(votes, who, row, raised):
    knots = ((0.0, 0.01), (0.3, 0.2), (0.8, 0.7))
    before = combine(plan(calibration=knots), votes, N)
    scores = votes[who].scores
    if scores is None or not raised >= scores[row]:
        return
    higher = scores.copy()
    higher[row] = raised
    votes[who] = vote(NAMES[who], higher)
    after = combine(plan(calibration=knots), votes, N)
    assert after.probability[row] >= before.probability[row] - 1e-12


@given(ballots())
def test_adding_rules_changes_only_rows_without_a_vote(votes):
    rules = np.full(N, 0.95)
    plain, ruled = combine(plan(), votes, N), combine(plan(), votes, N, rules)
    unvoted = np.isnan(plain.probability)
    assert (ruled.probability[unvoted] == 0.95).all()
    assert (ruled.outcome[unvoted] <= REVIEW).all()
    assert (ruled.outcome[~unvoted] == plain.outcome[~unvoted]).all()
    assert [RULES_ONLY in why for why in ruled.degraded] == unvoted.tolist()


def test_degraded_lists_what_is_missing_in_the_order_of_the_plan():
    votes = [vote("odd", None), vote("b", [0.1, np.nan, 0.1, 0.1, 0.1]), vote("a", [0.1] * N)]
    of_all = ("variant_missing:c", "variant_late:odd")
    degraded = combine(plan(), votes, N).degraded
    assert degraded == [of_all, ("variant_partial:b", *of_all), *[of_all] * 3]


def test_rows_that_miss_nothing_share_one_empty_tuple():
    votes = [vote(n, [0.1] * N) for n in (*NAMES, "odd")]
    assert {id(why) for why in combine(plan(), votes, N).degraded} == {id(())}


def test_votes_of_variants_outside_the_plan_do_not_count():
    votes = [*(vote(n, [0.1] * N) for n in (*NAMES, "odd")), vote("stranger", [1.0] * N)]
    combined = combine(plan(), votes, N)
    assert combined.probability.tolist() == pytest.approx([0.1] * N)
    assert combined.degraded == [()] * N


def test_an_anomaly_challenges_and_no_more():
    votes = [*(vote(n, [0.1, 0.6, 0.1, 0.1, 0.1]) for n in NAMES), vote("odd", [1.0] * N)]
    assert combine(plan(), votes, N).outcome.tolist() == [1, 2, 1, 1, 1]
    never = plan(anomaly_challenge=None)
    assert combine(never, votes, N).outcome.tolist() == [0, 2, 0, 0, 0]


def test_calibration_maps_the_mean():
    votes = [vote(n, [0.5] * N) for n in (*NAMES, "odd")]
    combined = combine(plan(calibration=((0.0, 0.0), (1.0, 0.2))), votes, N)
    assert combined.probability.tolist() == pytest.approx([0.1] * N)


def test_no_rows():
    combined = combine(plan(), [vote(n, []) for n in (*NAMES, "odd")], 0)
    assert (len(combined.probability), combined.degraded) == (0, [])


score = st.floats(0, 1) | st.sampled_from([0.0, 1e-7, 0.5, 1.0 - 1e-7, 1.0])
any_weight = st.floats(1e-3, 10)
RANKS = (0.0, 0.1, 0.1, 0.4, 1.0)
plans = st.builds(
    lambda method, members, anomaly, challenge, calibration: Ensemble(
        tuple(Member(f"m{i}", weight, ranks=RANKS) for i, weight in enumerate(members)),
        Thresholds(0.1, 0.5, 0.9, challenge),
        "anomaly" if anomaly else None,
        calibration=calibration,
        method=method,
    ),
    st.builds(Stack, st.floats(-2, 2)) | st.sampled_from([m() for m in METHODS.values()]),
    st.lists(any_weight, min_size=1, max_size=9),
    st.booleans(),
    st.sampled_from([None, 0.7]),
    st.sampled_from([(), ((0.0, 0.0), (0.3, 0.2), (0.7, 0.6), (1.0, 0.9))]),
)


@given(plans, st.data())
def test_one_row_is_the_same_alone_and_among_others_to_the_bit(plan, data):
    scores = {name: data.draw(score) for name in plan.variants}

    def votes(n):
        return [Vote(name, "v", "ok", np.full(n, score), 1.0) for name, score in scores.items()]

    alone, among = combine(plan, votes(1), 1), combine(plan, votes(2), 2)
    assert alone.probability.tobytes() == among.probability[:1].tobytes()
    assert alone.anomaly.tobytes() == among.anomaly[:1].tobytes()
    assert alone.outcome.dtype == among.outcome.dtype
    assert alone.outcome.tolist() == among.outcome[:1].tolist()
    assert alone.degraded == among.degraded[:1] == [()]


def _flat(share):
    """A map of every score to one probability."""
    return ((0.0, share), (1.0, share))


SUBSETS = {("a", "b"): 0.1, ("c",): 0.2, ("b", "c"): 0.3}
BY_SUBSET = replace(
    plan(calibration=_flat(0.9)),
    subsets=tuple(SubsetCalibration(names, _flat(p)) for names, p in SUBSETS.items()),
)


@given(ballots())
def test_each_row_is_calibrated_for_the_members_that_voted_on_it(votes):
    combined = combine(BY_SUBSET, votes, N)
    for i in range(N):
        names = tuple(
            v.variant for v in votes[:3] if v.scores is not None and not np.isnan(v.scores[i])
        )
        if not names:
            assert np.isnan(combined.probability[i])
        else:  # without a calibration of its own a subset has that of all
            assert combined.probability[i] == SUBSETS.get(names, 0.9)


@given(ballots(), st.sampled_from(list(METHODS.values())))
def test_votes_are_never_written_to(votes, method):
    members = tuple(Member(n, 1.0, ranks=RANKS) for n in NAMES)
    bare = replace(plan(), method=method(), members=members)
    bare = replace(bare, subsets=BY_SUBSET.subsets)
    before = [None if v.scores is None else v.scores.copy() for v in votes]
    combine(bare, votes, N)
    for vote, scores in zip(votes, before, strict=True):
        assert scores is None or vote.scores.tobytes() == scores.tobytes()


def test_a_lone_vote_under_a_maximum_is_not_overwritten_by_its_calibration():
    scores = np.array([0.5, 0.6])
    ensemble = replace(plan(), method=Maximum(), subsets=(SubsetCalibration(("a",), _flat(0.1)),))
    assert probability_of(ensemble, {"a": scores}, 2).tolist() == [0.1, 0.1]
    assert scores.tolist() == [0.5, 0.6]


@given(ballots(), st.sets(st.sampled_from(NAMES)))
def test_a_row_without_a_required_vote_is_left_to_the_rules(votes, required):
    members = tuple(Member(n, 1.0, required=n in required) for n in NAMES)
    ensemble = replace(plan(), members=members)
    rules = np.full(N, 0.4)
    combined = combine(ensemble, votes, N, rules)
    by_name = {v.variant: v.scores for v in votes}
    left = np.zeros(N, dtype=bool)
    for i in range(N):
        cast = {n for n in NAMES if by_name[n] is not None and not np.isnan(by_name[n][i])}
        left[i] = not cast or not required <= cast
        assert (RULES_ONLY in combined.degraded[i]) == left[i]
        assert combined.outcome[i] <= REVIEW or not left[i]
    assert (combined.probability[left] == 0.4).all()
    assert needs_rules(ensemble, votes, N) == bool(left.any())


@given(ballots(), st.tuples(weight, weight, weight))
def test_a_mean_of_ranks_stays_between_the_ranks_of_the_votes(votes, weights):
    members = tuple(Member(n, w, ranks=RANKS) for n, w in zip(NAMES, weights, strict=True))
    combined = combine(replace(plan(), members=members, method=RankAverage()), votes, N)
    cast = np.array([v.scores for v in votes[:3] if v.scores is not None]).reshape(-1, N)
    ranks = rank_of(cast.ravel(), RANKS).reshape(cast.shape)
    for i in range(N):
        own = ranks[:, i][~np.isnan(cast[:, i])]
        if own.size:
            assert own.min() - 1e-12 <= combined.probability[i] <= own.max() + 1e-12


def test_each_member_is_waited_for_as_long_as_it_may_take():
    slow = replace(plan(), members=(Member("a", 1.0, deadline_ms=30), Member("b", 1.0)))
    (calls,) = list(slow.run(Asking(transactions(1)), None, ""))
    assert {c.variant: c.deadline_ms for c in calls} == {"a": 30, "b": 100, "odd": 100}
