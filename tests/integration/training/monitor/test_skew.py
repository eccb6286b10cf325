"""The check of served decisions finds the planted differences, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from cluster.cli import run
from decision_log.shipping.postgres_sink import PostgresSink
from features.assemble import assemble, rows_to_remember, without_history
from features.definitions import NAMES, SCHEMA_ID
from features.state.events import Events
from features.state.labels import LabelEvents
from features.store.memory import MemoryStore
from fraud.payment.batch import TRANSACTION_COLUMNS, FeatureBatch, TransactionBatch
from fraud.record import records
from tests.contracts.decisions import PLAN, decided
from tests.contracts.payments import payments
from training.monitor.skew import SkewReport, check_served

HISTORY, SERVED, MICRO_BATCH = 200, 300, 25
BASE_MS = 1_706_500_000_000
STEP_MS = 1_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def at(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


@dataclass
class Label:
    """A label as it arrives."""

    row: int
    fraud: bool
    known_ms: int
    received_ms: int
    previous: tuple[int, bool] | None = None

    @property
    def effective_ms(self) -> int:
        return max(self.known_ms, self.received_ms)


def labels_of(batch: TransactionBatch) -> list[Label]:
    """Labels of the history arrive before the first decision, those of served rows between two
    micro-batches, every fourth corrected by the next but one. One more is older than the label it
    would correct."""
    found = []
    for i in range(0, HISTORY, 2):
        known = batch.timestamp_ms[i] + 3_600_000
        found.append(Label(i, i % 6 == 0, known, BASE_MS - 50_000 + i))
    for i in range(HISTORY, HISTORY + SERVED, 2):
        if batch.transaction_id.index(batch.transaction_id[i]) < i:
            continue  # a retry: the payment has its label
        decided_ms = BASE_MS + (i - HISTORY) // MICRO_BATCH * STEP_MS
        known = decided_ms + 600
        found.append(Label(i, i % 6 == 0, known, known))
        if i % 8 == 0:
            again = known + 2 * STEP_MS
            found.append(Label(i, i % 6 != 0, again, again, (known, i % 6 == 0)))
    return sorted(found, key=lambda label: label.effective_ms)


def event(batch: TransactionBatch, label: Label) -> LabelEvents:
    i = label.row
    names = ("customer", "merchant", "device", "counterparty")
    return LabelEvents(
        tenant=[batch.tenant[i]],
        known_at_ms=[label.known_ms],
        fraud=[label.fraud],
        hundredths=batch.amount_hundredths()[i : i + 1].tolist(),
        ids={name: [getattr(batch, f"{name}_id")[i]] for name in names},
        previous=[label.previous],
    )


@dataclass
class World:
    """A tenant with served decisions."""

    url: str
    tenant: str
    batch: TransactionBatch
    labels: list[Label]
    ids: list[str]

    async def execute(self, sql: str, *arguments: object) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            await connection.execute(sql, *arguments)
        finally:
            await connection.close()

    async def check(self, **arguments: object) -> SkewReport:
        return await check_served(self.url, self.tenant, **arguments)  # type: ignore[arg-type]


async def insert_history(connection: asyncpg.Connection, batch: TransactionBatch) -> None:
    columns = [c for c in TRANSACTION_COLUMNS if c != "timestamp_ms"]
    amounts = batch.amount_hundredths().tolist()
    await connection.copy_records_to_table(
        "transactions",
        records=[
            (
                batch.tenant[i],
                at(batch.timestamp_ms[i]),
                at(BASE_MS - 86_400_000),
                amounts[i],
                *(getattr(batch, column)[i] for column in columns),
            )
            for i in range(len(batch))
        ],
        columns=["tenant", "occurred_at", "received_at", "amount_hundredths", *columns],
    )


def serve(store: MemoryStore, batch: TransactionBatch) -> FeatureBatch:
    events = Events.of(batch)
    observation = store.observe(events)
    features = assemble(batch, events, observation)
    store.keep(*rows_to_remember(events, observation, features))
    return features


@pytest.fixture
async def world(database_url: str, request: pytest.FixtureRequest) -> World:
    """History, then micro-batches a second apart, each on record as the decision log writes it;
    the second one without a store."""
    tenant = request.node.name
    before = payments(
        HISTORY, seed=1, days=30, customers=25, duplicate=0.0, tenant=tenant, prefix="h"
    )
    served = payments(SERVED, seed=2, days=2, customers=25, tenant=tenant, prefix="s")
    shift = BASE_MS - served.timestamp_ms[0]
    served = replace(served, timestamp_ms=[t + shift for t in served.timestamp_ms])
    batch = TransactionBatch.concat([before, served])
    labels = labels_of(batch)
    connection, sink = await asyncpg.connect(database_url), PostgresSink(database_url)
    await insert_history(connection, before)
    store, ids, waiting = MemoryStore(), [], list(labels)
    store.observe(Events.of(before))
    for n, start in enumerate(range(0, SERVED, MICRO_BATCH)):
        now_ms = BASE_MS + n * STEP_MS
        while waiting and waiting[0].effective_ms <= now_ms:
            store.learn_now(event(batch, waiting.pop(0)))
        part = served.slice(start, start + MICRO_BATCH)
        features = serve(store, part)
        if n == 1:
            features = without_history(part)
        _, decisions = decided(part, at_ms=now_ms)
        decisions = replace(decisions, degraded=features.degraded)
        written = records(part, features, decisions, PLAN)
        await sink.insert([written])
        ids += [record.decision_id for record in written]
    await connection.executemany(
        "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, received_at, source)"
        " VALUES ($1, $2, $3, $4, $5, 'test') ON CONFLICT DO NOTHING",
        [
            (tenant, batch.transaction_id[x.row], x.fraud, at(x.known_ms), at(x.received_ms))
            for x in labels
        ],
    )
    await connection.close()
    await sink.close()
    return World(database_url, tenant, batch, labels, ids)


async def test_served_features_equal_the_backfill(world: World) -> None:
    report = await world.check()
    assert report.features == []
    assert (report.differ, report.unexplained, report.share) == (0, 0, 0.0)
    assert report.decisions == SERVED
    assert report.retries > 0
    assert report.checked + report.retries + report.degraded == SERVED
    assert report.labels > 200


async def test_a_window_is_warmed_from_what_came_before_it(world: World) -> None:
    limited = await world.check(limit=120)
    assert limited.decisions == 125  # whole moments
    later = await world.check(since=at(BASE_MS + 5 * STEP_MS))
    assert later.decisions == SERVED - 5 * MICRO_BATCH
    for report in (limited, later):
        assert report.differ == 0
        assert report.checked > 0


async def test_skew_is_found_counted_and_named(world: World) -> None:
    wrong = NAMES.index("customer_count_7d")
    place = 4 * wrong
    await world.execute(
        "UPDATE decisions SET features = set_byte(features, $3, 68)"
        " WHERE tenant = $1 AND decision_id = $2::uuid",
        *(world.tenant, world.ids[-1], place + 3),
    )
    report = await world.check()
    assert (report.differ, report.unexplained) == (1, 1)
    assert [f.name for f in report.features] == ["customer_count_7d"]
    assert report.features[0].largest > 0
    assert report.examples == [world.ids[-1]]


async def test_other_schemas_are_passed_over(world: World) -> None:
    await world.execute(
        "UPDATE decisions SET schema_id = 'other' WHERE tenant = $1 AND decided_at < $2",
        *(world.tenant, at(BASE_MS + 3 * STEP_MS)),
    )
    report = await world.check()
    assert report.schema_id == SCHEMA_ID
    assert report.other_schema > 2 * MICRO_BATCH
    assert report.differ == 0


async def test_an_order_that_is_not_on_record_is_an_explanation(world: World) -> None:
    """Two micro-batches decided at nearly the same time, with their times swapped."""
    early, late = BASE_MS + 8 * STEP_MS, BASE_MS + 9 * STEP_MS
    for then, now in ((early, late + 100), (late, late + 50)):
        await world.execute(
            "UPDATE decisions SET decided_at = $3 WHERE tenant = $1 AND decided_at = $2",
            *(world.tenant, at(then), at(now)),
        )
    report = await world.check()
    assert report.differ > 0
    assert report.explained["concurrent"] > 0
    assert report.unexplained < report.differ


def test_the_command_reports_it_and_fails(
    database_url: str,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("DATABASE_URL", database_url)
    tenant = "test_skew_is_found_counted_and_named"
    code = run(["features", "check", "--tenant", tenant, "--json"])
    assert code == 1, capsys.readouterr().err
    said = capsys.readouterr()
    assert said.out, said.err
    report = json.loads(said.out)
    assert report["skewed"]
    assert report["features"][0]["name"] == "customer_count_7d"
    assert run(["features", "check", "--tenant", tenant, "--tolerance", "0.1"]) == 0
    assert "customer_count_7d" in capsys.readouterr().out
    assert run(["features", "check", "--tenant", "nobody"]) == 0
    assert "no decision" in capsys.readouterr().out
