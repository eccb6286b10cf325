"""The tuned app does all of the work, on a real PostgreSQL and a real Redis."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import redis

from cluster.api_keys import create
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.plan import Plan
from loadtests.bench.apps import access
from loadtests.bench.apps.tuned import app
from tests.contracts.artifacts import point_alias, tiny_artifact

PEPPER = "a pepper"
# The models see the amount alone, so nearly every payment is above these thresholds.
PLAN = Plan(
    *("default", 1),
    Ensemble(
        (Member("xgboost", 2.0), Member("logistic", 1.0)),
        Thresholds(challenge=0.01, review=0.02, block=1.0),
    ),
)


class Tuned:
    """A client of the app, and its database."""

    def __init__(self, client: httpx.AsyncClient, key: str, database_url: str) -> None:
        self._client = client
        self._key = key
        self.database_url = database_url

    async def post(self, path: str, body: Any, key: str | None = None) -> httpx.Response:
        headers = {"X-API-Key": self._key if key is None else key}
        return await self._client.post(path, json=body, headers=headers)


@pytest.fixture
async def tuned(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Tuned]:
    for name, value in {
        "QUORUM_HOME": str(tmp_path),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "QUORUM_KEY_PEPPER": PEPPER,
        # A busy machine is not what this is about.
        "QUORUM_REDIS_TIMEOUT_MS": "20000",
        "QUORUM_REBUILD_WAIT_MS": "20000",
    }.items():
        monkeypatch.setenv(name, value)
    for variant, slope in (("xgboost", 1.0), ("logistic", 2.0)):
        made = tiny_artifact(
            tmp_path / "artifacts", variant, n_features=N_FEATURES, schema_id=SCHEMA_ID, slope=slope
        )
        point_alias(tmp_path / "artifacts", variant, *made)
    connection = await asyncpg.connect(database_url)
    made_key = await create(connection, PEPPER, tenant="default", name="bench")
    await connection.execute(
        "INSERT INTO plans VALUES ('default', 1, $1, true) ON CONFLICT DO NOTHING", PLAN.to_json()
    )
    await connection.close()
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tuned") as client:
            yield Tuned(client, str(made_key["key"]), database_url)


def payment(number: int, **more: Any) -> dict[str, Any]:
    at = datetime.now(UTC) - timedelta(minutes=60 - number)
    return {
        "transaction_id": f"t-{number}",
        "customer_id": "c-1",
        "timestamp": at.isoformat(),
        "amount": "12.50",
        "currency": "EUR",
        "type": "purchase",
        "merchant_id": "m-1",
        **more,
    }


async def test_payments_are_decided_remembered_and_recorded(tuned: Tuned, redis_url: str) -> None:
    first = (await tuned.post("/v1/decisions", payment(1))).json()
    second = (await tuned.post("/v1/decisions", payment(2, amount=99.5))).json()
    assert first["transaction_id"] == "t-1"
    assert first["feature_age_ms"] is None
    # The customer is known now: what was observed was also remembered.
    assert second["feature_age_ms"] == pytest.approx(60_000, abs=5_000)
    assert first["degraded_reasons"] == second["degraded_reasons"] == []
    assert [vote["name"] for vote in first["variants"]] == ["xgboost", "logistic"]
    assert first["decision"] != "approve"
    assert first["reasons"]
    rows = (
        await tuned.post("/v1/decisions/batch", {"transactions": [payment(3), payment(4)]})
    ).json()
    assert [row["transaction_id"] for row in rows["results"]] == ["t-3", "t-4"]
    assert rows["results"][1]["feature_age_ms"] == pytest.approx(60_000, abs=5_000)
    with redis.Redis.from_url(redis_url) as client:
        counted = [int(client.get(key) or 0) for key in client.scan_iter("limit:*")]
    assert sum(counted) == 4
    # Ending the app writes what waits.
    await app.state.decisions._recorder._waiting.join()
    connection = await asyncpg.connect(tuned.database_url)
    kept = await connection.fetch("SELECT * FROM decisions ORDER BY transaction_id")
    payments = await connection.fetchval("SELECT count(*) FROM transactions")
    await connection.close()
    assert [row["transaction_id"] for row in kept] == ["t-1", "t-2", "t-3", "t-4"]
    assert payments == 4
    assert kept[0]["probability"] == first["probability"]
    assert len(kept[0]["features"]) == 4 * N_FEATURES
    votes = json.loads(kept[0]["record"])["votes"]
    assert [vote["score"] for vote in votes] == [vote["score"] for vote in first["variants"]]


async def test_who_may_not_ask_is_refused(tuned: Tuned, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await tuned.post("/v1/decisions", payment(11), key="qk_none")).status_code == 401
    stranger = "qk_" + "a" * 12 + "_" + "b" * 43
    assert (await tuned.post("/v1/decisions", payment(12), key=stranger)).status_code == 401
    connection = await asyncpg.connect(tuned.database_url)
    reader = await create(connection, PEPPER, tenant="default", name="reader", scopes=("read",))
    await connection.close()
    refused = await tuned.post("/v1/decisions", payment(12), key=str(reader["key"]))
    assert refused.status_code == 403
    # One window however long this takes.
    monkeypatch.setattr(access, "WINDOW_S", 10**9)
    monkeypatch.setattr(app.state.decisions.access, "_most", 1)
    answers = [(await tuned.post("/v1/decisions", payment(13))).status_code for _ in range(2)]
    assert answers == [200, 429]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": "12.505"},
        {"amount": "0"},
        {"amount": "1e999"},
        {"currency": "ABC"},
        {"timestamp": "2001-01-01T00:00:00Z"},
        {"timestamp": "2026-01-01T00:00:00"},
        {"country": "ZZ"},
        {"customer_id": "a\x00b"},
        {"latitude": 91},
        {"unknown": 1},
    ],
)
async def test_what_is_wrong_is_refused_and_not_repeated(
    tuned: Tuned, wrong: dict[str, Any]
) -> None:
    answer = await tuned.post("/v1/decisions", payment(21, **wrong))
    assert answer.status_code == 400
    assert "12.505" not in answer.text
    assert answer.json()["errors"]
