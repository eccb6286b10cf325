"""Simulations of decisions in a real PostgreSQL, written by the real sink."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from deciding.simulation.models import ArtifactModels
from deciding.simulation.run import simulate
from decision_log.shipping.postgres_sink import PostgresSink
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.ensemble import Thresholds
from fraud.plan import Plan
from fraud.record import DecisionRecord
from models.scoring.scorer import Scorer
from models.store.location import open_store
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.decisions import gathered
from tests.contracts.plans import leaf
from tests.contracts.recorded import DECIDED_AT_MS, made, row_decided

PLAN = Plan("default", 3, leaf("xgboost", "logistic"))
STRICT = replace(
    PLAN, version=4, policy=leaf("xgboost", "logistic", thresholds=Thresholds(0.1, 0.3, 0.5))
)
N = 300


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    opened = await asyncpg.connect(database_url)
    await opened.execute("TRUNCATE decisions, labels")
    yield opened
    await opened.close()


@pytest.fixture
async def records(database_url: str, connection: asyncpg.Connection) -> list[DecisionRecord]:
    """Decisions on record; the newest are last."""
    found = sorted(made(PLAN, N), key=lambda record: record.decision_id)
    await store(database_url, found)
    return found


async def store(database_url: str, records: list[DecisionRecord]) -> None:
    sink = PostgresSink(database_url)
    await sink.insert(gathered(records))
    await sink.close()


async def test_the_plan_that_decided_flips_nothing(
    database_url: str, records: list[DecisionRecord]
) -> None:
    found = await simulate(database_url, "default", PLAN, N, None)
    assert (found.figures.decisions, found.figures.flipped, found.undecided) == (N, 0, 0)
    assert found.is_complete
    assert found.first_ms == found.last_ms == DECIDED_AT_MS


async def test_flips_are_those_of_each_row_decided_again(
    database_url: str, records: list[DecisionRecord]
) -> None:
    found = await simulate(database_url, "default", STRICT, N, None)
    again = [row_decided(STRICT, record)[1] for record in records]
    names = [o.outcome for o in found.figures.outcomes]
    after = [names[int(combined.outcome[0])] for combined in again]
    assert {o.outcome: o.after for o in found.figures.outcomes} == {
        name: after.count(name) for name in names
    }
    flipped = {r.decision_id for r, o in zip(records, after, strict=True) if r.outcome != o}
    assert found.figures.flipped == len(flipped) > 0
    assert {flip.decision_id for flip in found.sample} <= flipped


async def test_the_newest_are_read_and_no_other_tenants(
    database_url: str, records: list[DecisionRecord]
) -> None:
    theirs = replace(records[0].transaction, transaction_id="theirs", currency="GBP")
    later = [replace(made(PLAN, 1)[0], tenant="acme", transaction=theirs)]
    await store(database_url, later)
    found = await simulate(database_url, "default", PLAN, 40, None)
    newest = [r.transaction.currency for r in records[-40:]]
    assert {s.name: s.figures.decisions for s in found.segments["currency"]} == {
        name: newest.count(name) for name in set(newest)
    }
    acme = await simulate(database_url, "acme", PLAN, 40, None)
    assert [s.name for s in acme.segments["currency"]] == ["GBP"]
    assert (await simulate(database_url, "nobody", PLAN, 40, None)).figures.decisions == 0


async def test_the_label_that_holds_counts_and_never_anothers(
    database_url: str, records: list[DecisionRecord], connection: asyncpg.Connection
) -> None:
    ids = [r.transaction.transaction_id for r in records]
    at = datetime.fromtimestamp(DECIDED_AT_MS / 1000, UTC)
    now = datetime.now(UTC)
    labels = [
        ("default", ids[0], False, at + timedelta(days=1)),
        ("default", ids[0], True, at + timedelta(days=2)),  # a correction
        ("default", ids[1], True, at + timedelta(days=1)),
        ("default", ids[1], False, now + timedelta(days=9)),  # not known yet
        ("acme", ids[2], True, at + timedelta(days=1)),
        ("default", ids[3], True, at + timedelta(days=1)),
    ]
    await connection.executemany(
        "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
        " VALUES ($1, $2, $3, $4, 'test')",
        labels,
    )
    await connection.execute(
        "UPDATE decisions SET degraded = '{transaction_reused}' WHERE transaction_id = $1", ids[3]
    )
    found = (await simulate(database_url, "default", STRICT, N, None)).figures.labels
    assert (found.labelled, found.fraud, found.genuine) == (2, 2, 0)
    caught = [r for r in records[:2] if row_decided(STRICT, r)[1].outcome[0] > 0]
    assert found.caught_after == len(caught)


async def test_models_answer_for_votes_that_are_not_on_record(
    database_url: str, records: list[DecisionRecord], tmp_path: Path
) -> None:
    root = tmp_path / "artifacts"
    version, digest = tiny_artifact(
        root, "random-forest", n_features=N_FEATURES, schema_id=SCHEMA_ID
    )
    point_alias(root, "random-forest", version, digest)
    models = ArtifactModels(open_store(str(root), Settings(home=tmp_path)))
    plan = Plan("new", 1, leaf("random-forest"))
    found = await simulate(database_url, "default", plan, N, models)
    values = np.concatenate([record.values() for record in records])
    scores = Scorer.load(root / "random-forest" / version).score(values, SCHEMA_ID)
    counts = np.histogram(scores, [0, 0.2, 0.5, 0.9, 1.1])[0].tolist()
    assert [o.after for o in found.figures.outcomes] == counts
    [votes] = found.votes
    assert (votes.asked, votes.recorded, votes.missing) == ({version: N}, {}, {})
    alone = await simulate(database_url, "default", plan, N, None)
    assert alone.by_rules == N


async def test_a_simulation_ends_when_its_time_is_up(
    database_url: str, records: list[DecisionRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("decision_log.readers.recorded_decisions.ROWS_PER_PART", 50)
    found = await simulate(database_url, "default", PLAN, N, None, limit_s=0.0)
    assert (found.is_complete, found.figures.decisions) == (False, 50)
    all_read = await simulate(database_url, "default", PLAN, 50, None, limit_s=0.0)
    assert all_read.is_complete
