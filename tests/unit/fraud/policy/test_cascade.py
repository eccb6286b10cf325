"""Clear cases stop early, the others go on."""

from __future__ import annotations

import numpy as np

from fraud.policy.cascade import Cascade, Stage
from tests.contracts.decisions import transactions
from tests.contracts.plans import Asked, leaf

POLICY = Cascade((Stage(leaf("fast"), 0.1, 0.9), Stage(leaf("fast", "slow"))))


def test_only_unsure_rows_go_on_and_no_vote_is_asked_twice():
    fast, slow = [0.05, 0.5, 0.95, 0.2], [0.7, 0.7, 0.7, 0.7]
    asked = Asked(POLICY, transactions(4), {"fast": fast, "slow": slow})
    assert asked.calls == [("fast", [0, 1, 2, 3]), ("slow", [1, 3])]
    assert asked.groups == {"stage 1": [0, 2], "stage 2": [1, 3]}
    first, last = asked.settled
    assert (first.asked, last.asked) == (("fast",), ("fast", "slow"))
    scores = [v.scores.tolist() for v in asked.asking.votes.votes(last.asked, last.rows)]
    assert scores == [[0.5, 0.2], [0.7, 0.7]]


def test_where_all_rows_are_clear_the_slow_models_rest():
    asked = Asked(POLICY, transactions(3), {"fast": [0.0, 0.01, 1.0], "slow": [0.5] * 3})
    assert asked.calls == [("fast", [0, 1, 2])]
    assert asked.groups == {"stage 1": [0, 1, 2]}


def test_rows_without_a_vote_go_on():
    asked = Asked(POLICY, transactions(2), {"slow": [0.5] * 2})
    assert asked.groups == {"stage 2": [0, 1]}
    asked = Asked(POLICY, transactions(2), {"fast": [np.nan, 0.01], "slow": [0.5] * 2})
    assert asked.groups == {"stage 1": [1], "stage 2": [0]}


def test_without_an_upper_bound_no_row_settles_high():
    policy = Cascade((Stage(leaf("fast"), 0.1), Stage(leaf("slow"))))
    asked = Asked(policy, transactions(2), {"fast": [0.01, 1.0], "slow": [0.5] * 2})
    assert asked.groups == {"stage 1": [0], "stage 2": [1]}
