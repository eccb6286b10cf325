"""The report of an experiment in a real PostgreSQL, against independent computations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss

from decision_log.shadows.writer import ShadowWriter
from decision_log.shipping.postgres_sink import PostgresSink
from experiments.maturity import DAY_MS, Known
from experiments.reading.reader import Found, Wanted, read
from experiments.report import Report, report
from experiments.sides import PLAN, Side
from fraud.errors import NotFound
from fraud.payment.currency import hundredths
from fraud.shadow_decision import ShadowDecision
from tests.contracts.decisions import DECIDED_AT_MS, decision_records, gathered
from tests.contracts.decisions import PLAN as SERVED
from tests.contracts.experiment import END, START, World, outcome_of, record, world

WANTED = Wanted("acme", "default", START, END)
SHADOW = Side("shadow", "candidate")
NEW, CONTROL = Side("arm", "new"), Side("arm", "control")
PINNED = Side("variant", "xgboost@bbbbbbbbbbbb")


@pytest.fixture(scope="module")
def made() -> World:
    return world(8_000)


@pytest.fixture(scope="module")
def recorded(database_url: str, made: World) -> str:
    """A database with the experiment of `acme`, and a smaller one of another tenant."""

    async def fill() -> None:
        connection = await asyncpg.connect(database_url)
        await record(connection, made)
        await record(connection, world(300, seed=99), "other")
        await connection.close()

    asyncio.run(fill())
    return database_url


@pytest.fixture
async def connection(recorded: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(recorded)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection
    await connection.close()


async def reported(connection: asyncpg.Connection, wanted: Wanted = WANTED) -> Report:
    return report(await read(connection, wanted), wanted)


async def test_every_row_is_read_as_it_was_written(
    connection: asyncpg.Connection, made: World
) -> None:
    found: Found = await read(connection, WANTED)
    rows = found.rows
    assert len(rows) == len(made)
    assert rows.decided_ms.tolist() == made.decided_ms.tolist()
    assert rows.amount == pytest.approx(made.amount)
    assert rows.live.probability.tolist() == made.live.tolist()
    assert rows.live.outcome is not None
    assert rows.live.outcome.tolist() == outcome_of(made.live).tolist()
    assert rows.live.elapsed_ms.tolist() == [2 + i % 5 for i in range(len(made))]
    assert rows.live.degraded is not None
    assert rows.live.degraded.mean() == pytest.approx(0.1)
    assert rows.label.tolist() == np.where(made.labelled, made.fraud, -1).tolist()
    assert (rows.known_ms >= 0).tolist() == made.labelled.tolist()
    assert rows.in_arm("new").tolist() == made.is_new.tolist()
    np.testing.assert_array_equal(rows.shadows["candidate"].probability, made.shadow)
    np.testing.assert_array_equal(rows.variants[PINNED.name].probability, made.pinned)
    assert rows.variants["xgboost"].elapsed_ms[:3].tolist() == [1, 2, 3]
    assert np.unique(rows.customer).size == np.unique(made.customer).size
    assert found.plan_versions == (6, 7)
    assert [plan.version for plan in found.plans] == [7]
    assert found.models[SHADOW] == ("xgboost@cccccccccccc",)
    assert found.models[NEW] == ("xgboost@aaaaaaaaaaaa", "xgboost@bbbbbbbbbbbb")
    assert (found.share, "logistic" in rows.variants) == (1.0, False)


async def test_the_delay_of_labels_is_measured(connection: asyncpg.Connection, made: World) -> None:
    found = await read(connection, WANTED)
    delays = made.delay_ms[made.labelled & made.fraud]
    assert found.delay.frauds == delays.size
    assert found.delay.usual_ms == pytest.approx(np.quantile(delays, 0.9, method="higher"), abs=2)
    assert found.delay.median_ms is not None


async def test_figures_of_the_shadow_on_the_same_payments(
    connection: asyncpg.Connection, made: World
) -> None:
    found = (await reported(connection)).comparison(SHADOW)
    assert found is not None
    both = np.isfinite(made.shadow) & made.labelled
    fraud = made.fraud[both]
    for side, score in ((found.side, made.shadow[both]), (found.against, made.live[both])):
        figures = side.figures
        assert figures.average_precision == pytest.approx(average_precision_score(fraud, score))
        assert figures.brier == pytest.approx(brier_score_loss(fraud, score), abs=1e-8)
        outcome = outcome_of(score)
        stops = np.array([0, 0.8, 1, 1])[outcome]
        amount = made.amount[both]
        caught = (fraud * amount * stops).sum()
        assert figures.frauds_stopped == pytest.approx((fraud * stops).sum() / fraud.sum())
        assert figures.value_caught == pytest.approx(caught / fraud.size)
        assert figures.value_caught_share == pytest.approx(caught / (fraud * amount).sum())
        interrupted = (~fraud & (outcome > 0)).sum() / (~fraud).sum()
        assert figures.genuine_interrupted == pytest.approx(interrupted, abs=1e-8)
        cost = np.choose(
            outcome,
            [fraud * amount, 0.5 + 0.2 * fraud * amount, np.full(fraud.size, 4.0), 30.0 * ~fraud],
        )
        assert figures.cost == pytest.approx(cost.mean())
        cut = np.quantile(score, 1 - (figures.review_rate or 0))
        recall = (fraud & (score >= cut)).sum() / fraud.sum()
        assert figures.recall_at_review == pytest.approx(recall, abs=2 / fraud.sum())
    asked = np.isfinite(made.shadow)
    assert found.side.maturity.decisions == found.against.maturity.decisions == asked.sum()
    assert found.side.maturity.counted == both.sum()
    assert found.against.figures.review_rate == pytest.approx(
        (outcome_of(made.live[asked]) >= 2).mean(), abs=1e-8
    )
    assert found.side.figures.latency_p50_ms == 8.0
    cost_difference = found.difference("cost")
    assert cost_difference is not None
    assert cost_difference.difference == pytest.approx(
        (found.side.figures.cost or 0) - (found.against.figures.cost or 0)
    )
    assert found.recommendation.decision == "promote"
    assert found.recommendation.reason.startswith("Shadow candidate has a better cost a payment")


async def test_arms_have_customers_of_their_own(
    connection: asyncpg.Connection, made: World
) -> None:
    found = (await reported(connection)).comparison(NEW)
    assert found is not None
    assert (found.pair.against, found.moved) == (CONTROL, 0)
    for side, arm in ((found.side, made.is_new), (found.against, ~made.is_new)):
        rows = arm & made.labelled
        expected = average_precision_score(made.fraud[rows], made.live[rows])
        assert side.figures.average_precision == pytest.approx(expected)
        assert side.maturity.decisions == arm.sum()
    assert {d.method for d in found.differences} == {"asymptotic", "bootstrap"}


async def test_a_pinned_model_is_compared_with_the_champion(connection: asyncpg.Connection) -> None:
    found = (await reported(connection)).comparison(PINNED)
    assert found is not None
    assert found.side.figures.outcomes is None
    assert found.side.figures.cost is None
    brier = found.difference("brier")
    assert brier is not None
    assert brier.verdict == "better"
    assert brier.high is not None
    assert found.recommendation.decision == "promote"


async def test_an_earlier_look_sees_the_beginning(connection: asyncpg.Connection) -> None:
    """No payment that counted at an earlier look has gone, none came in before it."""
    later = await read(connection, WANTED)
    early_end = START + timedelta(days=30)
    early = await read(connection, replace(WANTED, until=early_end))
    before = Known.of(early.rows, 10 * DAY_MS, int(early_end.timestamp() * 1000), "excluded")
    after = Known.of(later.rows, 10 * DAY_MS, int(END.timestamp() * 1000), "excluded")
    assert 0 < before.rows.size < after.rows.size
    assert before.rows.tolist() == after.rows[: before.rows.size].tolist()


async def test_a_tenant_sees_its_own_payments_alone(connection: asyncpg.Connection) -> None:
    other = await reported(connection, replace(WANTED, tenant="other"))
    assert other.sides[PLAN].maturity.decisions == 300
    with pytest.raises(NotFound, match="plan default decided no payment"):
        await reported(connection, replace(WANTED, tenant="nobody"))
    with pytest.raises(NotFound, match="plan unknown decided no payment"):
        await reported(connection, replace(WANTED, plan="unknown"))


async def test_one_version_alone(connection: asyncpg.Connection, made: World) -> None:
    six = await reported(connection, replace(WANTED, version=6))
    assert six.plan_versions == (6,)
    assert six.sides[PLAN].maturity.decisions == sum(i % 3 == 0 for i in range(len(made)))
    shadow = six.sides[SHADOW].maturity.decisions
    assert shadow == sum(np.isfinite(made.shadow[::3]))


async def test_without_labels_nobody_can_tell(connection: asyncpg.Connection) -> None:
    early = await reported(connection, replace(WANTED, until=START + timedelta(days=1)))
    assert {c.recommendation.decision for c in early.comparisons} == {"not yet"}
    assert early.to_document()["comparisons"]
    assert "not yet" in early.to_page()


async def test_too_many_rows_become_a_sample_of_customers(
    connection: asyncpg.Connection, made: World
) -> None:
    found = await read(connection, WANTED, max_rows=2_400)
    assert found.share == 0.25
    assert 1_200 < len(found.rows) <= 2_400
    everyone = await read(connection, WANTED)
    chosen = np.isin(everyone.rows.customer, found.rows.customer)
    # Whole customers: none has lost a payment.
    assert everyone.rows.take(chosen).live.probability.tolist() == (
        found.rows.live.probability.tolist()
    )
    assert "a sample of 25.0% of customers" in " ".join(report(found, WANTED).notes)


async def test_the_first_of_several_decisions_on_a_payment_counts(recorded: str) -> None:
    connection = await asyncpg.connect(recorded)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(
        "INSERT INTO decisions SELECT tenant, gen_random_uuid(), decided_at + interval '1 hour',"
        " transaction_id, customer_id, 'block', 0.99, anomaly_score, plan, plan_version, degraded,"
        " schema_id, features, record FROM decisions WHERE tenant = 'other'"
    )
    await connection.execute(
        "UPDATE decisions SET degraded = '{transaction_reused}'"
        " WHERE tenant = 'other' AND transaction_id = 't0'"
    )
    found = await read(connection, replace(WANTED, tenant="other"))
    assert len(found.rows) == 299
    assert (found.rows.live.probability < 0.99).all()
    await transaction.rollback()
    await connection.close()


async def test_the_label_that_holds_counts(recorded: str) -> None:
    connection = await asyncpg.connect(recorded)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(
        "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
        " SELECT tenant, transaction_id, NOT is_fraud, known_at + interval '1 minute', 'analyst'"
        " FROM labels WHERE tenant = 'other'"
    )
    before = await read(connection, replace(WANTED, tenant="other", until=START))
    found = await read(connection, replace(WANTED, tenant="other"))
    small = world(300, seed=99)
    assert found.rows.label.tolist() == np.where(small.labelled, ~small.fraud, -1).tolist()
    assert len(before.rows) == 0
    await transaction.rollback()
    await connection.close()


async def test_records_of_the_decision_log_are_read(database_url: str) -> None:
    """What the shipper and the shadow writer store, not what a test made up."""
    written = decision_records(40, "log")
    sink, shadows = PostgresSink(database_url), ShadowWriter(database_url, timeout_s=10)
    await sink.insert(gathered(written))
    shadows.offer(
        [
            ShadowDecision(
                r.tenant,
                r.decision_id,
                r.decided_at_ms,
                SERVED.name,
                SERVED.version,
                "dark",
                2,
                i / 100,
                [{"variant": "logistic", "version": "0" * 12, "status": "ok", "score": i / 100}],
                5.5,
            )
            for i, r in enumerate(written)
            if i % 2
        ]
    )
    await shadows.flush()
    await shadows.close()
    await sink.close()
    at = datetime.fromtimestamp(DECIDED_AT_MS / 1000, UTC)
    wanted = Wanted("default", SERVED.name, at - timedelta(days=1), at + timedelta(days=1))
    connection = await asyncpg.connect(database_url)
    async with connection.transaction(readonly=True):
        found = await read(connection, wanted)
    await connection.close()
    rows = found.rows
    assert [plan for plan in found.plans if plan.version == SERVED.version] == [SERVED]
    by_probability = {r.probability: r for r in written}
    assert set(rows.live.probability.tolist()) == set(by_probability)
    for i, probability in enumerate(rows.live.probability.tolist()):
        kept = by_probability[probability]
        votes = {v.variant: v.score for v in kept.votes}
        assert {name: a.probability[i] for name, a in rows.variants.items()} == votes
        assert rows.amount[i] == pytest.approx(
            hundredths(kept.transaction.amount_minor, kept.transaction.currency) / 100
        )
        shown = rows.shadows["dark"].probability[i]
        place = written.index(kept)
        assert np.isnan(shown) if place % 2 == 0 else shown == place / 100
    assert rows.arms == ("",)


async def test_a_tenants_own_plan_is_not_the_houses_of_the_same_name(database_url: str) -> None:
    theirs = replace(SERVED, policy=replace(SERVED.ensemble, deadline_ms=77))
    of_house = decision_records(4, "of-house")
    written = [*of_house, *decision_records(6, "own", plan=theirs)]
    sink = PostgresSink(database_url)
    await sink.insert(gathered([replace(r, tenant="moved") for r in written]))
    await sink.close()
    at = datetime.fromtimestamp(DECIDED_AT_MS / 1000, UTC)
    wanted = Wanted("moved", SERVED.name, at - timedelta(days=1), at + timedelta(days=1))
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            assert len((await read(connection, wanted)).rows) == 10
        await connection.execute(
            "INSERT INTO plans (owner, name, version, document, author, reason)"
            " VALUES ('moved', $1, $2, $3::jsonb, 'me', 'why')",
            *(theirs.name, theirs.version, theirs.to_json()),
        )
        async with connection.transaction():
            found = await read(connection, wanted)
    finally:
        await connection.execute("DELETE FROM plans WHERE owner = 'moved'")
        await connection.close()
    assert len(found.rows) == 6
    assert [plan.ensemble.deadline_ms for plan in found.plans] == [77]
