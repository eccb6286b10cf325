"""Which vote counts for which name of a plan, and whom a simulation asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from deciding.simulation.votes import ABSENT, LATE, NONE, Voters
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.asking import VariantCall
from fraud.payment.batch import Float32, Float64
from fraud.plan import Plan
from fraud.record import DecisionRecord, RecordedVote
from tests.contracts.plans import leaf
from tests.contracts.recorded import made, recorded

NOW, OLD = "a" * 12, "b" * 12
RECORDS = made(Plan("default", 1, leaf("logistic")), 4, silent=0.0)


class FakeModels:
    """Models of one version that score 0.75, and remember the rows that they are asked about."""

    def __init__(self, *names: str, schema_id: str = SCHEMA_ID) -> None:
        self.refused: dict[str, str] = {}
        self.rows: list[int] = []
        self._names = names
        self._schema_id = schema_id

    def version(self, name: str) -> str | None:
        return NOW if name in self._names else None

    def schema(self, name: str) -> str | None:
        return self._schema_id if name in self._names else None

    def scores(self, name: str, values: Float32) -> Float64:
        assert values.shape[1] == N_FEATURES
        self.rows.append(len(values))
        return np.full(len(values), 0.75)


def ok(name: str, version: str, score: float | None = 0.5) -> RecordedVote:
    return RecordedVote(name, version, version, "ok", score)


def silent(name: str, status: str) -> RecordedVote:
    return RecordedVote(name, "", "", status, None)


def with_votes(*votes: Sequence[RecordedVote]) -> list[DecisionRecord]:
    return [replace(r, votes=tuple(v)) for r, v in zip(RECORDS, votes, strict=False)]


def ask(
    voters: Voters, records: list[DecisionRecord], name: str, rows: Sequence[int] | None = None
) -> list[float | None]:
    call = VariantCall(name, None if rows is None else np.array(rows))
    vote = voters.answer(recorded(records), call)
    if vote.scores is None:
        return [None] * len(records if rows is None else rows)
    return [None if np.isnan(score) else score for score in vote.scores.tolist()]


def test_a_champion_is_the_vote_under_its_name_whatever_the_version() -> None:
    records = with_votes(
        [ok("xgboost", OLD, 0.1)], [ok("xgboost", NOW, 0.2)], [ok(f"xgboost@{NOW}", NOW, 0.3)]
    )
    voters = Voters(None)
    assert ask(voters, records, "xgboost") == [0.1, 0.2, None]
    count = voters.counts["xgboost"]
    assert count.recorded == {OLD: 1, NOW: 1}
    assert count.missing == {"not on record": 1}


def test_a_pinned_name_is_the_vote_of_that_version_under_any_name() -> None:
    records = with_votes(
        [ok("xgboost", OLD, 0.1)],
        [ok("xgboost", NOW, 0.2)],
        [ok(f"xgboost@{NOW}", NOW, 0.3)],
        [ok("acme/xgboost", NOW, 0.4), ok("logistic", NOW, 0.9)],
    )
    assert ask(Voters(None), records, f"xgboost@{NOW}") == [None, 0.2, 0.3, 0.4]
    assert ask(Voters(None), records, f"xgboost@{OLD}") == [0.1, None, None, None]


def test_an_answer_under_another_name_counts_more_than_a_failed_call() -> None:
    votes = [silent(f"xgboost@{NOW}", "late"), ok("xgboost", NOW, 0.2)]
    for order in (votes, votes[::-1]):
        assert ask(Voters(None), with_votes(order), f"xgboost@{NOW}") == [0.2]


def test_rows_that_the_plan_does_not_ask_about_count_nowhere() -> None:
    records = with_votes([ok("xgboost", OLD)], [], [ok("xgboost", NOW)])
    voters = Voters(None)
    assert ask(voters, records, "xgboost", rows=[1, 2]) == [None, 0.5]
    assert voters.counts["xgboost"].recorded == {NOW: 1}
    assert voters.counts["xgboost"].missing == {"not on record": 1}


def test_models_are_asked_about_votes_that_are_not_on_record_alone() -> None:
    models = FakeModels("xgboost")
    voters = Voters(models, ABSENT)
    records = with_votes(
        [ok("xgboost", OLD, 0.1)], [], [silent("xgboost", "late")], [ok("xgboost", OLD, None)]
    )
    assert ask(voters, records, "xgboost") == [0.1, 0.75, None, None]
    assert models.rows == [1]
    count = voters.counts["xgboost"]
    assert count.recorded == {OLD: 2}
    assert count.asked == {NOW: 1}
    assert count.missing == {"late": 1, "no number": 1}


def test_late_and_failed_votes_are_asked_for_again_on_demand() -> None:
    models = FakeModels("xgboost")
    records = with_votes([silent("xgboost", "late")], [silent("xgboost", "failed")], [])
    assert ask(Voters(models, LATE), records, "xgboost") == [0.75, 0.75, 0.75]
    assert models.rows == [3]


def test_nobody_is_asked_on_demand() -> None:
    models = FakeModels("xgboost")
    assert ask(Voters(models, NONE), with_votes([]), "xgboost") == [None]
    assert models.rows == []


def test_the_same_model_is_not_asked_for_what_it_said_under_another_name() -> None:
    models = FakeModels("xgboost", "acme/xgboost")
    records = with_votes([ok(f"xgboost@{NOW}", NOW, 0.3)], [ok("logistic", NOW, 0.9)])
    voters = Voters(models)
    assert ask(voters, records, "xgboost") == [0.3, 0.75]
    assert voters.counts["xgboost"].recorded == {NOW: 1}
    assert models.rows == [1]


def test_an_unknown_model_and_other_features_are_told_apart() -> None:
    records = with_votes([], [silent("xgboost", "late")])
    voters = Voters(FakeModels())
    assert ask(voters, records, "xgboost") == [None, None]
    assert voters.counts["xgboost"].missing == {"no such model": 1, "late": 1}
    voters = Voters(FakeModels("xgboost", schema_id="f" * 12))
    assert ask(voters, records, "xgboost") == [None, None]
    assert voters.counts["xgboost"].missing == {"features of another schema": 1, "late": 1}


def test_whom_to_ask_is_one_of_three() -> None:
    with pytest.raises(ValueError, match="expected one of none, absent, late"):
        Voters(None, "everybody")
