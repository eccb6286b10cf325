"""Calls of several policies in one stage, and their answers by row."""

from __future__ import annotations

import numpy as np

from fraud.asking import Run, VariantCall, VoteBook, merged, together
from fraud.decision import Vote


def vote(name: str, *scores: float) -> Vote:
    return Vote(name, "v", "ok", np.array(scores), 1.0)


def rows(*indices: int) -> np.ndarray:
    return np.array(indices, dtype=np.intp)


def test_one_call_a_variant_about_all_rows_that_anybody_asks_about():
    calls = [VariantCall("a", rows(0, 2), 50), VariantCall("b"), VariantCall("a", rows(1, 2), 80)]
    first, second = merged(calls)
    assert (first.variant, first.rows.tolist(), first.deadline_ms) == ("a", [0, 1, 2], 80)
    assert (second.variant, second.rows) == ("b", None)
    (everything,) = merged([VariantCall("a", rows(0)), VariantCall("a")])
    assert everything.rows is None


def test_votes_of_some_rows_lie_where_the_rows_are():
    book = VoteBook(5)
    book.add([VariantCall("a", rows(1, 3, 4))], [vote("a", 0.1, 0.3, 0.4)])
    (found,) = book.votes(["a", "never asked"], rows(3, 4))
    assert found.scores.tolist() == [0.3, 0.4]
    assert book.votes(["a"], rows(0)) == ()


def test_a_variant_asked_in_two_stages_answers_for_both():
    book = VoteBook(4)
    book.add([VariantCall("a", rows(0, 1))], [vote("a", 0.0, 0.1)])
    assert book.unanswered("a", None).tolist() == [2, 3]
    assert book.unanswered("a", rows(0)) is False
    book.add([VariantCall("a", rows(2, 3))], [Vote("a", "", "late", None, 9.0)])
    (found,) = book.votes(["a"], None)
    np.testing.assert_equal(found.scores, [0.0, 0.1, np.nan, np.nan])
    (late,) = book.votes(["a"], rows(2, 3))
    assert (late.status, late.scores) == ("late", None)
    assert book.unanswered("a", None) is False


def test_policies_run_side_by_side_stage_by_stage():
    def asks(*stages: list[str]) -> Run[int]:
        for names in stages:
            yield [VariantCall(name) for name in names]
        return len(stages)

    run = together([asks(["a"], ["b"], ["c"]), asks(), asks(["a", "d"])])

    def all_stages() -> Run[None]:
        found = yield from run
        assert found == [3, 0, 1]

    seen = [[call.variant for call in calls] for calls in all_stages()]
    assert seen == [["a", "d"], ["b"], ["c"]]
