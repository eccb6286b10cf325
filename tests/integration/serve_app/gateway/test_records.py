"""Records on a real PostgreSQL: keys, decisions, labels, the active plan."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from cluster import api_keys
from decision_log.shipping.postgres_sink import PostgresSink
from fraud.errors import Conflict, NotFound, StoreUnavailable
from fraud.record import DecisionRecord
from serve_app.database import open_pools
from serve_app.gateway import auth, queries
from serve_app.gateway.auth import Authenticator
from serve_app.gateway.gateway import Gateway, GatewaySettings
from serve_app.gateway.labels import NewLabel
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.records import Records
from serve_app.http.asgi import DecisionsApp
from serve_app.http.rest import build_rest
from settings.settings import Settings
from tests.contracts.decisions import PLAN, decision_records, gathered
from tests.contracts.front import PEPPER, FakeCombiner, FakeRedisLimiter, payment
from tests.contracts.services import services_of


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def settings_of(database_url: str) -> Settings:
    return Settings(database_url=database_url, database_timeout_s=30.0)  # type: ignore[arg-type]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    primary, replica = await open_pools(settings_of(database_url))
    assert replica is None
    yield primary
    await primary.close()


@pytest.fixture
def records(pool: asyncpg.Pool) -> Records:
    return Records(pool, None, now_ms)


@pytest.fixture
async def kept(database_url: str) -> DecisionRecord:
    """A decision of tenant `default`, kept as the decision log keeps it."""
    (record,) = decision_records(1, prefix=f"r{time.monotonic_ns()}-", at_ms=now_ms())
    await ship(database_url, record)
    return record


async def ship(database_url: str, record: DecisionRecord) -> None:
    sink = PostgresSink(database_url)
    await sink.insert(gathered([record]))
    await sink.close()


async def test_a_decision_comes_back_as_it_was_given(records: Records, kept: Any) -> None:
    found = await records.decision("default", kept.decision_id)
    assert found.labels == ()
    # Of the plan its name, version and digest are kept; features are not read.
    assert replace(found.record, plan={}) == replace(kept, plan={}, features=b"")
    assert (found.record.plan["name"], found.record.plan["version"]) == (PLAN.name, PLAN.version)


async def test_another_tenant_sees_nothing(records: Records, kept: Any) -> None:
    with pytest.raises(NotFound):
        await records.decision("other", kept.decision_id)
    with pytest.raises(NotFound):
        await records.label("other", NewLabel(True, "analyst", None, kept.decision_id))


@pytest.mark.parametrize(
    "decision_id",
    ["", "x", "0" * 36, "ffffffff-ffff-7fff-bfff-ffffffffffff", "\x00" * 36, "d" * 32],
)
async def test_what_is_no_id_is_not_found_at_once(
    records: Records, decision_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_PAUSES_S", (3600.0,))
    async with asyncio.timeout(60):
        with pytest.raises(NotFound):
            await records.decision("default", decision_id)


async def test_a_decision_still_on_its_way_is_waited_for(
    records: Records, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "_PAUSES_S", (0.05,) * 1200)
    (record,) = decision_records(1, prefix="on-its-way-", at_ms=now_ms())
    reading = asyncio.create_task(records.decision("default", record.decision_id))
    await asyncio.sleep(0.2)
    await ship(database_url, record)
    assert (await reading).record.decision_id == record.decision_id


async def test_a_fresh_id_that_never_comes_is_given_up(records: Records) -> None:
    (record,) = decision_records(1, at_ms=now_ms())
    began = time.monotonic()
    with pytest.raises(NotFound):
        await records.decision("default", record.decision_id)
    assert time.monotonic() - began >= sum(queries._PAUSES_S)
    assert 0.8 < sum(queries._PAUSES_S) <= 1.0


async def test_labels_are_kept_once_and_corrected(
    records: Records, pool: asyncpg.Pool, kept: Any
) -> None:
    said = NewLabel(True, "chargeback", None, kept.decision_id)
    first, is_new = await records.label("default", said)
    again, is_new_again = await records.label("default", said)
    assert (is_new, is_new_again) == (True, False)
    assert first == again
    # A correction is a later label, not a changed one.
    corrected, is_new = await records.label(
        "default", NewLabel(False, "chargeback", None, kept.decision_id)
    )
    assert is_new
    assert corrected.known_at > first.known_at
    rows = await pool.fetch(
        "SELECT is_fraud, decision_id FROM labels WHERE transaction_id = $1 ORDER BY known_at",
        kept.transaction.transaction_id,
    )
    assert [row["is_fraud"] for row in rows] == [True, False]
    assert {str(row["decision_id"]) for row in rows} == {kept.decision_id}


async def test_a_label_of_a_moment_is_kept_once(records: Records, kept: Any) -> None:
    at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
    _, is_new = await records.label("default", NewLabel(True, "analyst", at, kept.decision_id))
    assert is_new
    label, is_new = await records.label("default", NewLabel(True, "analyst", at, kept.decision_id))
    assert not is_new
    assert label.known_at == at
    with pytest.raises(Conflict):
        await records.label("default", NewLabel(False, "analyst", at, kept.decision_id))


async def test_many_who_send_the_same_label_at_once_add_one(records: Records, kept: Any) -> None:
    said = NewLabel(True, "customer", None, kept.decision_id)
    results = await asyncio.gather(*(records.label("default", said) for _ in range(8)))
    assert sum(is_new for _, is_new in results) == 1
    assert len({label.known_at for label, _ in results}) == 1


async def test_a_store_that_is_down_is_unavailable() -> None:
    url = "postgresql://nobody@127.0.0.1:1/none"
    primary, _ = await open_pools(settings_of(url))
    gone = Records(primary, None, now_ms)
    (record,) = decision_records(1, at_ms=now_ms())
    for call in (
        gone.key("abcdefghijkm"),
        gone.decision("default", record.decision_id),
    ):
        with pytest.raises(StoreUnavailable):
            await call
    primary.terminate()


async def test_a_real_key_decides_and_reads_and_a_revoked_one_does_not(
    records: Records, pool: asyncpg.Pool, kept: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import httpx

    async with pool.acquire() as connection:
        mine = await api_keys.create(connection, PEPPER, tenant="default", name="mine")
        other = await api_keys.create(connection, PEPPER, tenant="other", name="other")
    monkeypatch.setattr(auth, "LOOKUP_TIMEOUT_S", 60.0)
    now_s = 1000.0
    authenticator = Authenticator(records.key, PEPPER, lambda: now_s)
    combiner = FakeCombiner()

    services = services_of(authenticator.authenticate, records)
    limits = RateLimits(FakeRedisLimiter(), "front")
    gateway = Gateway(combiner.decide, limits, GatewaySettings())
    app = DecisionsApp(gateway, authenticator.authenticate, services.limits, build_rest(services))
    now = datetime.now(UTC).isoformat()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://front"
    ) as client:
        my, others = {"x-api-key": mine["key"]}, {"x-api-key": other["key"]}
        answer = await client.post("/v1/decisions", json=payment(timestamp=now), headers=my)
        assert answer.status_code == 200, answer.text
        path = f"/v1/decisions/{kept.decision_id}"
        assert (await client.get(path, headers=my)).status_code == 200
        assert (await client.get(path, headers=others)).status_code == 404
        label = {"is_fraud": True, "source": "chargeback"}
        assert (await client.post(path + "/labels", json=label, headers=my)).status_code == 201
        assert (await client.post(path + "/labels", json=label, headers=my)).status_code == 200
        assert (await client.post(path + "/labels", json=label, headers=others)).status_code == 404
        async with pool.acquire() as connection:
            await api_keys.revoke(connection, "default", mine["key_id"])
        now_s += auth.FRESH_S
        assert (await client.get(path, headers=my)).status_code == 401
        assert (await client.get(path, headers=others)).status_code == 404
        body = json.dumps(payment(timestamp=now)).encode()
        headers = {**my, "content-type": "application/json"}
        response = await client.post("/v1/decisions", content=body, headers=headers)
        assert response.status_code == 401
    assert len(combiner.calls) == 1
