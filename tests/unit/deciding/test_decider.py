"""Decisions over fakes: whatever dies, the payment gets a decision, a reason and a record."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import numpy as np
import pytest

from deciding.decider import Decider
from deciding.explainer import Explainer
from deciding.fan_out import FanOut
from deciding.feature_client import FeatureClient
from features.assemble import without_history
from features.definitions import N_FEATURES, NAMES, SCHEMA_ID
from features.reason_columns import reason_writer
from fraud.combine.combine import combine
from fraud.combine.thresholds import REVIEW
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.errors import LogUnavailable, Unavailable
from fraud.explanation import Explanation
from fraud.ids import decided_at_ms
from fraud.payment.batch import TransactionBatch
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.cascade import Cascade, Stage
from fraud.policy.recorded import settled
from fraud.policy.segments import Condition, Segment, Segments
from fraud.score import VariantScores
from tests.contracts.decisions import transactions
from tests.contracts.plans import leaf

pytestmark = pytest.mark.virtual_time

PLAN = Plan(
    "default",
    4,
    Ensemble(
        (Member("xgboost", 2.0), Member("logistic", 1.0)),
        Thresholds(0.1, 0.5, 0.9, anomaly_challenge=0.99),
        "isolation-forest",
        deadline_ms=40,
    ),
)
NOW_MS = 1_790_000_000_000
HOUR = NAMES.index("request_hour")
DIGEST = "e" * 64


def scoring(score):
    """A variant that gives every row the same score, or raises it."""

    async def call(values, schema_id):
        if isinstance(score, Exception):
            raise score
        return VariantScores("v1", "d" * 64, np.full(len(values), score))

    return call


class House:
    """A Decider and everything around it."""

    def __init__(
        self,
        *,
        plan=PLAN,
        xgboost=0.05,
        logistic=0.05,
        anomaly=0.5,
        explain=None,
        fetch_timeout_ms=50,
        reach_database=None,
    ):
        self.plan = plan
        self.calls = {
            "xgboost": scoring(xgboost),
            "logistic": scoring(logistic),
            "isolation-forest": scoring(anomaly),
        }
        self.explained, self.explains = [], "xgboost"
        self.explain = explain
        self.kept, self.missed = [], []
        self.log_error = None
        self.fetch = self.fetch_well
        self.tells_patience = 0
        self.decider = Decider(
            lambda tenant: self.plan,
            FeatureClient(
                lambda batch, patient: self.fetch(batch, *[patient][: self.tells_patience]),
                self.miss,
                fetch_timeout_ms,
            ),
            FanOut(self),
            Explainer(self.explainer, reason_writer(NAMES)),
            self,
            now_ms=lambda: NOW_MS,
            randomness=lambda k: bytes(range(k % 256)) + bytes(k - k % 256),
            reach_database=reach_database,
        )

    def scorer(self, variant):
        return self.calls.get(variant)

    def explainer(self, variant):
        return self.contributions if variant == self.explains else None

    async def contributions(self, values, schema_id):
        self.explained.append(len(values))
        if self.explain is None:
            found = np.full((len(values), N_FEATURES), -0.1)
            found[:, HOUR] = 0.7
            return Explanation.bare(DIGEST, found)
        return await self.explain(values)

    async def fetch_well(self, batch):
        features = without_history(batch)
        return type(features)(
            features.values, SCHEMA_ID, np.full(len(batch), 7), stage_ms={"redis": 0.25}
        )

    async def miss(self, batch, ago_s):
        self.missed += batch.transaction_id

    async def append(self, batches):
        if self.log_error is not None:
            raise self.log_error
        for records in batches:
            self.kept += records

    async def decide(self, n=3, patient=True):
        return one_group(await self.decider.decide(transactions(n), patient), n)


def one_group(decisions, n):
    """The only batch of decisions on n rows, none of them pending."""
    assert decisions.pending == ()
    assert decisions.rows == (list(range(n)),)
    return decisions.batches[0]


async def test_metadata_are_kept_and_no_feature_ever_sees_them():
    house = House()
    asked = []

    async def fetch(batch):
        asked.append(batch)
        return await house.fetch_well(batch)

    house.fetch = fetch
    batch = transactions(2)
    batch.metadata, batch.stages = [None, '{"order":"17"}'], ['"wait":1.0', '"wait":2.0']
    await house.decider.decide(batch)
    (seen,) = asked
    assert (seen.metadata, seen.stages) == (None, None)
    assert [record.transaction.metadata for record in house.kept] == [None, {"order": "17"}]
    assert [record.stage_ms["wait"] for record in house.kept] == [1.0, 2.0]
    assert house.kept[0].stage_ms.keys() >= {"features", "votes", "combine", "wait"}


async def test_a_batch_is_decided_and_kept():
    house = House()
    decisions = await house.decide(3)
    assert decisions.transaction_id == ["t0", "t1", "t2"]
    assert decisions.outcome == [0, 0, 0]
    assert decisions.probability == pytest.approx([0.05] * 3)
    assert decisions.anomaly_score == [0.5] * 3
    assert decisions.reasons == [(), (), ()]
    assert decisions.degraded == [()] * 3
    assert decisions.feature_age_ms == [7, 7, 7]
    assert (decisions.plan, decisions.plan_version) == ("default", 4)
    assert list(decisions.stage_ms) == [
        *("features", "redis", "votes", "variant:xgboost", "variant:logistic"),
        *("variant:isolation-forest", "combine", "explain", "log"),
    ]
    assert all(ms >= 0 for ms in decisions.stage_ms.values())
    assert [r.decision_id for r in house.kept] == decisions.decision_id
    assert all(decided_at_ms(i) == NOW_MS for i in decisions.decision_id)
    assert house.explained == []


async def test_a_record_replays_to_its_decision():
    house = House(xgboost=0.7, logistic=0.4)
    await house.decide(2)
    for record in house.kept:
        plan = Plan.from_document(record.plan)
        again = combine(plan.ensemble, record.batch_votes(), 1)
        assert again.probability[0] == record.probability


async def test_only_rows_that_are_not_approved_are_explained():
    house = House()

    async def by_row(values, schema_id):
        scores = np.full(len(values), 0.05)
        scores[1] = 0.95
        return VariantScores("v1", "d" * 64, scores)

    house.calls["xgboost"] = house.calls["logistic"] = by_row
    decisions = await house.decide(3)
    assert decisions.outcome == [0, 3, 0]
    assert house.explained == [1]
    (reason,) = decisions.reasons[1]
    assert (reason.code, reason.feature, reason.contribution, reason.direction) == (
        *("TIME_OF_PAYMENT", "request_hour", 0.6, "raises"),  # the weekday took 0.1 off
    )
    assert decisions.explained_by == DIGEST
    assert house.kept[1].explained_by == DIGEST
    assert decisions.reasons[0] == decisions.reasons[2] == ()


async def test_a_plan_of_one_linear_model_is_explained_by_it():
    alone = replace(
        PLAN, policy=replace(PLAN.ensemble, kind="single", members=(Member("logistic", 1.0),))
    )
    house = House(plan=alone, logistic=0.95)
    house.explains = "logistic"
    decisions = await house.decide(1)
    assert [r.code for r in decisions.reasons[0]] == ["TIME_OF_PAYMENT"]
    assert (house.explained, decisions.explained_by) == ([1], DIGEST)


async def test_a_model_outside_the_plan_explains_nothing():
    alone = replace(
        PLAN, policy=replace(PLAN.ensemble, kind="single", members=(Member("logistic", 1.0),))
    )
    decisions = await House(plan=alone, logistic=0.95).decide(1)
    assert [r.code for r in decisions.reasons[0]] == ["MODEL_SCORE"]
    assert decisions.explained_by == ""


async def test_an_anomaly_is_a_reason_of_its_own():
    house = House(anomaly=0.9962)
    decisions = await house.decide(1)
    assert (decisions.outcome, decisions.risk_score) == ([1], [25])
    (reason,) = decisions.reasons[0]
    assert (reason.code, reason.feature) == ("ANOMALY", None)
    assert "0.9962" in reason.detail
    assert "0.99" in reason.detail
    # Nobody asks what raised a probability that did not count.
    assert (house.explained, decisions.explained_by) == ([], "")


async def test_an_anomaly_beside_a_high_probability_comes_last():
    decisions = await House(xgboost=0.95, logistic=0.95, anomaly=1.0).decide(1)
    assert [r.code for r in decisions.reasons[0]] == ["TIME_OF_PAYMENT", "ANOMALY"]


async def test_a_contribution_without_evidence_is_no_reason():
    async def unknown(values):
        found = np.zeros((len(values), N_FEATURES))
        found[:, NAMES.index("counterparty_smoothed_risk_30d")] = 3.0
        found[:, NAMES.index("customer_count_1h")] = 2.0  # unknown: NaN
        return Explanation.bare(DIGEST, found)

    decisions = await House(xgboost=0.95, logistic=0.95, explain=unknown).decide(1)
    (reason,) = decisions.reasons[0]
    assert reason.code == "MODEL_SCORE"
    assert "0.95" in reason.detail
    assert "block begins at 0.9" in reason.detail


async def test_score_level_and_outcome_agree():
    house = House()

    async def by_row(values, schema_id):
        scores = np.array([0.0, 0.0999, 0.1, 0.4999, 0.5, 0.8999, 0.9, 1.0])
        return VariantScores("v1", "d" * 64, scores)

    house.calls["xgboost"] = house.calls["logistic"] = by_row
    decisions = await house.decide(8)
    assert [score // 25 for score in decisions.risk_score] == decisions.outcome
    assert decisions.risk_score == sorted(decisions.risk_score)
    assert [r.risk_score for r in house.kept] == decisions.risk_score


async def test_a_row_is_degraded_by_what_it_lacks_itself():
    house = House()

    async def fetch(batch):
        features = await house.fetch_well(batch)
        features.degraded[1] = ("transaction_reused",)
        return features

    house.fetch = fetch
    decisions = await house.decide(3)
    assert decisions.degraded == [(), ("transaction_reused",), ()]
    assert [r.degraded for r in house.kept] == decisions.degraded


async def hang(*_):
    await asyncio.sleep(30)


async def fail(*_):
    raise RuntimeError("secret 4111")


async def nonsense(values):
    return Explanation.bare(DIGEST, np.zeros((1, 2)))


@pytest.mark.parametrize("explain", [hang, fail, nonsense])
async def test_without_contributions_there_is_still_a_reason(explain, caplog):
    decisions = await House(xgboost=0.95, logistic=0.95, explain=explain).decide(2)
    assert [[r.code for r in reasons] for reasons in decisions.reasons] == [["MODEL_SCORE"]] * 2
    assert "4111" not in caplog.text


@pytest.mark.parametrize("fetch", [hang, fail])
async def test_dead_features_degrade(fetch):
    house = House()
    house.fetch = fetch
    decisions = await house.decide(2)
    assert decisions.degraded == [("features_unavailable",)] * 2
    assert decisions.feature_age_ms == [-1, -1]
    assert len(house.kept) == 2
    assert np.isfinite(house.kept[0].values()[0, NAMES.index("request_amount")])


async def test_dead_features_are_not_waited_for_every_time():
    house, waits = House(), []

    async def dead(batch):
        waits.append(1)
        await asyncio.sleep(30)

    house.fetch = dead
    for _ in range(8):
        await house.decide(1)
    assert len(waits) == 3


async def test_one_dead_variant_degrades():
    decisions = await House(logistic=RuntimeError()).decide(1)
    assert decisions.degraded == [("variant_failed:logistic",)]
    assert decisions.probability == pytest.approx([0.05])


async def test_all_models_down_the_rules_decide_and_never_block():
    house = House()
    house.calls = {}
    decisions = await house.decide(4)
    assert {why[-1] for why in decisions.degraded} == {"rules_only"}
    assert max(decisions.outcome) <= REVIEW
    assert all(0 <= p <= 1 for p in decisions.probability)
    assert house.explained == []
    rows = transactions(1)
    rows.amount_minor[0] = 10**8
    dear = one_group(await house.decider.decide(rows), 1)
    assert (dear.outcome, [r.code for r in dear.reasons[0]]) == ([1], ["AMOUNT"])


async def test_a_row_that_one_model_cannot_score_is_decided_by_the_others():
    house = House()

    async def gap(values, schema_id):
        scores = np.full(len(values), 0.05)
        scores[0] = np.nan
        return VariantScores("v1", "d" * 64, scores)

    house.calls["xgboost"] = gap
    decisions = await house.decide(2)
    assert decisions.degraded == [("variant_partial:xgboost",), ()]
    assert decisions.probability == pytest.approx([0.05, 0.05])
    assert house.kept[0].votes[0].score is None


async def test_a_decision_that_is_not_durable_is_not_returned():
    house = House()
    house.log_error = LogUnavailable("disk full")
    with pytest.raises(LogUnavailable):
        await house.decide(1)


@pytest.mark.parametrize("is_there", [True, False])
async def test_an_answer_that_waits_for_postgres_says_whether_its_record_is_there(is_there):
    kept, waited_for = [], []

    async def reach(batches):
        kept.extend(house.kept)
        waited_for.extend(record for records in batches for record in records)
        await asyncio.sleep(0.03)
        return is_there

    house = House(logistic=RuntimeError("dead"), reach_database=reach)
    decisions = await house.decide(2)
    assert [r.decision_id for r in kept] == decisions.decision_id, "on the disk before the wait"
    assert [r.decision_id for r in waited_for] == decisions.decision_id
    lacks = ("variant_failed:logistic",)
    assert decisions.degraded == [lacks if is_there else (*lacks, "record_on_one_disk")] * 2
    assert [r.degraded for r in kept] == [lacks] * 2, "the record does not say so"
    assert list(decisions.stage_ms)[-2:] == ["log", "database"]
    assert decisions.stage_ms["database"] >= 0
    empty = await house.decider.decide(transactions(0))
    assert len(empty) == 0


async def test_without_a_plan_nothing_is_decided():
    with pytest.raises(Unavailable):
        await House(plan=None).decide(1)


async def test_no_rows():
    decisions = await House().decider.decide(transactions(0))
    assert (len(decisions), decisions.batches, decisions.pending) == (0, (), ())


async def test_batches_in_flight_keep_their_rows_apart():
    # Patient: forty batches share one loop here, and lateness is not what is tested.
    house = House(
        plan=replace(PLAN, policy=replace(PLAN.ensemble, deadline_ms=10_000)),
        fetch_timeout_ms=10_000,
    )

    async def echo(values, schema_id):
        await asyncio.sleep(0.001 * (len(values) % 3))
        amount = values[:, NAMES.index("request_amount")].astype(np.float64)
        return VariantScores("v1", "d" * 64, amount / 1e6)

    house.calls["xgboost"] = house.calls["logistic"] = echo

    async def one(k):
        rows = transactions(1 + k % 5, prefix=f"b{k}-")
        for i in range(len(rows)):
            rows.currency[i] = "USD"
            rows.amount_minor[i] = 1000 * (k + 1) + i
        decisions = one_group(await house.decider.decide(rows), len(rows))
        assert decisions.transaction_id == rows.transaction_id
        expected = [a / 100 / 1e6 for a in rows.amount_minor]
        assert decisions.probability == pytest.approx(expected, rel=1e-5)

    await asyncio.gather(*(one(k) for k in range(40)))


async def test_rows_without_their_history_are_left_out_unless_they_wait():
    house = House()
    house.tells_patience = 1

    async def fetch(batch, patient):
        if patient:
            return await house.fetch_well(batch)
        features = await house.fetch_well(batch.take([1, 3]))
        features.pending = (0, 2)
        return features

    house.fetch = fetch
    found = await house.decider.decide(transactions(4), patient=False)
    assert (found.pending, found.rows) == ((0, 2), ([1, 3],))
    [decisions] = found.batches
    assert decisions.transaction_id == ["t1", "t3"]
    assert len(decisions.outcome) == len(decisions.votes[0].scores) == 2
    assert len(house.kept) == 2
    assert len(await house.decide(4, patient=True)) == 4


async def test_nothing_is_asked_or_kept_where_every_row_is_left_out():
    house = House()
    house.tells_patience = 1

    async def fetch(batch, patient):
        features = await house.fetch_well(batch.take([]))
        features.pending = tuple(range(len(batch)))
        return features

    house.fetch = fetch
    decisions = await house.decider.decide(transactions(2), patient=False)
    assert (len(decisions), decisions.pending, house.kept) == (0, (0, 1), [])


def tenants(*names):
    """A micro-batch with a row of each tenant."""
    batch = transactions(len(names))
    batch.tenant = list(names)
    return batch


OTHER = Plan("mine", 2, leaf("xgboost", thresholds=Thresholds(0.01, 0.02, 0.9)))


async def test_rows_of_one_micro_batch_are_decided_by_their_tenants_plans():
    house = House(xgboost=0.05, logistic=0.05)
    house.decider._plan_for = lambda tenant: OTHER if tenant == "mine" else PLAN
    found = await house.decider.decide(tenants("a", "mine", "b", "mine"))
    assert found.rows == ([0, 2], [1, 3])
    common, mine = found.batches
    assert (common.plan, common.plan_version, common.outcome) == ("default", 4, [0, 0])
    assert (mine.plan, mine.plan_version, mine.outcome) == ("mine", 2, [2, 2])
    assert [vote.variant for vote in mine.votes] == ["xgboost"]
    assert (common.transaction_id, mine.transaction_id) == (["t0", "t2"], ["t1", "t3"])
    assert [(r.tenant, r.plan["name"]) for r in house.kept] == [
        *(("a", "default"), ("b", "default"), ("mine", "mine"), ("mine", "mine"))
    ]
    assert len(set(common.decision_id + mine.decision_id)) == 4


async def test_the_anomaly_of_one_plan_is_not_asked_about_rows_of_another():
    house, asked = House(), []

    async def noted(values, schema_id):
        asked.append(len(values))
        return VariantScores("v1", "d" * 64, np.full(len(values), 0.5))

    house.calls["isolation-forest"] = noted
    house.decider._plan_for = lambda tenant: OTHER if tenant == "mine" else PLAN
    await house.decider.decide(tenants("mine", "a", "mine"))
    assert asked == [1]


async def test_what_one_rows_features_lack_is_not_told_of_another_tenants():
    house = House()

    async def fetch(batch):
        features = await house.fetch_well(batch)
        features.degraded[1] = ("transaction_reused",)
        return features

    house.fetch = fetch
    house.decider._plan_for = lambda tenant: OTHER if tenant == "mine" else PLAN
    common, mine = (await house.decider.decide(tenants("a", "mine"))).batches
    assert (common.degraded, mine.degraded) == ([()], [("transaction_reused",)])


async def test_each_way_through_a_plan_is_a_group_of_its_own():
    arms = (Arm("a", 50, leaf("xgboost")), Arm("b", 50, leaf("logistic")))
    stages = (Stage(leaf("logistic"), 0.1), Stage(leaf("logistic", "xgboost")))
    segment = Segment("usd", Condition((("currency", ("USD",)),)), AB(arms, "s"))
    plan = Plan("tree", 1, Segments((segment,), Cascade(stages)))
    house = House(plan=plan, xgboost=0.7, logistic=0.3)
    found = await house.decider.decide(transactions(40))
    assert sorted(row for rows in found.rows for row in rows) == list(range(40))
    by_arm = {batch.arm: [vote.variant for vote in batch.votes] for batch in found.batches}
    assert by_arm == {
        "usd > a": ["xgboost"],
        "usd > b": ["logistic"],
        "others > stage 2": ["logistic", "xgboost"],
    }
    for batch, rows in zip(found.batches, found.rows, strict=True):
        assert batch.transaction_id == [f"t{i}" for i in rows]
        assert len(batch.probability) == len(batch.votes[0].scores) == len(rows)
    for record in house.kept:
        policy = Plan.from_document(record.plan).policy
        row = TransactionBatch.of(record.tenant, [record.transaction])
        [group] = settled(policy, row, record.batch_votes())
        assert group.arm == record.arm
        again = combine(group.ensemble, record.batch_votes(), 1, None, group.asked)
        assert again.probability[0] == record.probability


async def test_a_required_vote_that_is_missing_leaves_the_rules_to_decide():
    members = (Member("xgboost", 1.0, required=True), Member("logistic", 1.0))
    plan = Plan("p", 1, replace(PLAN.ensemble, members=members))
    decisions = await House(plan=plan, xgboost=RuntimeError(), logistic=0.95).decide(1)
    assert decisions.degraded == [("variant_failed:xgboost", "rules_only")]
    assert decisions.outcome[0] <= REVIEW


async def test_a_stage_that_failed_is_told_of_by_rows_that_later_stages_decided():
    stages = (Stage(leaf("logistic"), 0.1), Stage(leaf("xgboost")))
    plan = Plan("p", 1, Cascade(stages))
    decisions = await House(plan=plan, logistic=RuntimeError()).decide(2)
    assert decisions.degraded == [("variant_failed:logistic",)] * 2
    assert decisions.arm == "stage 2"


async def test_it_is_busy_while_votes_are_slow():
    house = House(plan=replace(PLAN, policy=replace(PLAN.ensemble, deadline_ms=1000)))

    async def slow(values, schema_id):
        time.sleep(0.1)  # noqa: ASYNC251 — the stopwatch does not run in the loop's time
        return VariantScores("v1", "d" * 64, np.full(len(values), 0.05))

    quick = house.calls["xgboost"]
    house.calls["xgboost"] = slow
    for _ in range(6):
        await house.decide(1)
    assert house.decider.is_busy
    house.calls["xgboost"] = quick
    for _ in range(20):
        await house.decide(1)
    assert not house.decider.is_busy
