"""API keys and their scopes on a real PostgreSQL: what a key may do over HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import httpx
import pytest

from cluster import api_keys
from cluster.schema.migrate import migrate, read_migrations
from decision_log.shipping.postgres_sink import PostgresSink
from fraud.access.keys import FRESH_S, hash_key, new_key
from fraud.access.scopes import Scope
from fraud.variant import HOUSE
from serve_app.database import open_pools
from serve_app.gateway import auth
from serve_app.gateway.auth import Authenticator
from serve_app.gateway.gateway import Gateway, GatewaySettings
from serve_app.gateway.plans import Plans
from serve_app.gateway.ratelimit.limits import RateLimits
from serve_app.gateway.records import Records
from serve_app.http.asgi import DecisionsApp
from serve_app.http.rest import build_rest
from settings.settings import Settings
from tests.contracts.decisions import decision_records, gathered
from tests.contracts.fake_plans import SCHEMA, KnownModels
from tests.contracts.front import PEPPER, FakeCombiner, FakeRedisLimiter, payment
from tests.contracts.services import services_of

DECIDE = "/v1/decisions"
LABEL = {"is_fraud": True, "source": "chargeback"}
OLD_INSERT = """INSERT INTO api_keys (key_id, tenant, name, hash, tier, expires_at)
    VALUES ($1, 'default', 'old', $2, 'standard', NULL)"""
"""As releases without scopes create keys."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "LOOKUP_TIMEOUT_S", 60.0)


class Front:
    """The HTTP app over a database with one decision of tenant `default`, and a clock."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool = pool
        self.now_s = 1000.0
        self.combiner = FakeCombiner()
        records = Records(pool, None, now_ms)
        authenticate = Authenticator(records.key, PEPPER, lambda: self.now_s).authenticate

        async def nothing() -> list[Any]:
            return []

        plans = Plans(pool, lambda _: HOUSE, KnownModels(), SCHEMA, nothing)
        services = services_of(authenticate, records, plans)
        limits = RateLimits(FakeRedisLimiter(), "front")
        gateway = Gateway(self.combiner.decide, limits, GatewaySettings())
        app = DecisionsApp(gateway, authenticate, services.limits, build_rest(services))
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://front", timeout=60
        )

    async def statuses(self, key: str, decision_id: str) -> dict[str, int]:
        """Return the status of each call with a key, by the scope that it needs."""
        sound = payment(timestamp=datetime.now(UTC).isoformat())
        calls: dict[str, tuple[str, str, Any]] = {
            "decide": ("POST", DECIDE, sound),
            "decide batch": ("POST", f"{DECIDE}/batch", {"transactions": [sound]}),
            "read": ("GET", f"{DECIDE}/{decision_id}", None),
            "read plans": ("GET", "/v1/plans/active", None),
            "plans": ("POST", "/v1/plans/none/1/activate", None),
            "label": ("POST", f"{DECIDE}/{decision_id}/labels", LABEL),
            "label batch": (
                "POST",
                "/v1/labels/batch",
                {"labels": [{**LABEL, "decision_id": decision_id}]},
            ),
        }
        found = {}
        for name, (method, path, body) in calls.items():
            answer = await self.client.request(method, path, json=body, headers={"x-api-key": key})
            found[name] = answer.status_code
            if answer.status_code == 403:
                scope = name.split()[0]
                document = answer.json()
                assert document["type"] == "urn:quorum:problem:insufficient-scope"
                assert f"`{scope}`" in document["detail"]
                assert f'scope="{scope}"' in answer.headers["www-authenticate"]
        return found

    async def labels(self) -> int:
        """Return the number of labels on record."""
        count: int = await self.pool.fetchval("SELECT count(*) FROM labels")
        return count


@asynccontextmanager
async def front_of(url: str) -> AsyncIterator[tuple[Front, str]]:
    """Open the app over a database, and a decision in it that has no label."""
    (record,) = decision_records(1, prefix=f"s{time.monotonic_ns()}-", at_ms=now_ms())
    sink = PostgresSink(url)
    await sink.insert(gathered([record]))
    await sink.close()
    pool, _ = await open_pools(
        Settings(database_url=url, database_timeout_s=30.0)  # type: ignore[arg-type]
    )
    front = Front(pool)
    try:
        yield front, record.decision_id
    finally:
        await front.client.aclose()
        await pool.close()


def allowed(statuses: dict[str, int]) -> set[str]:
    """Return the scopes of the calls that were not refused."""
    kinds: dict[str, set[bool]] = {}
    for name, status in statuses.items():
        assert status in (200, 201, 403, 404), (name, status)
        kinds.setdefault(name.split()[0], set()).add(status != 403)
    assert all(len(answers) == 1 for answers in kinds.values()), statuses
    return {scope for scope, answers in kinds.items() if True in answers}


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        (("decide",), {"decide"}),
        (("read",), {"read"}),
        (("label",), {"label"}),
        (("plans",), {"plans"}),
        (("admin",), {"decide", "read", "label", "plans"}),
        (("decide", "read"), {"decide", "read"}),
    ],
)
async def test_a_key_does_what_its_scopes_name_and_nothing_else_happens(
    database_url: str, scopes: tuple[Scope, ...], expected: set[str]
) -> None:
    async with front_of(database_url) as (front, decision_id):
        before = await front.labels()
        async with front.pool.acquire() as connection:
            made = await api_keys.create(
                connection, PEPPER, tenant="default", name="n", scopes=scopes
            )
        assert allowed(await front.statuses(made["key"], decision_id)) == expected
        assert len(front.combiner.calls) == (2 if "decide" in expected else 0)
        # Both label calls name the same label.
        assert await front.labels() - before == (1 if "label" in expected else 0)


async def test_a_change_of_scopes_applies_once_a_key_is_looked_up_again(database_url: str) -> None:
    async with front_of(database_url) as (front, decision_id):
        async with front.pool.acquire() as connection:
            made = await api_keys.create(connection, PEPPER, tenant="default", name="n")
        at_first = await front.statuses(made["key"], decision_id)
        assert allowed(at_first) == {"decide", "read", "label"}
        async with front.pool.acquire() as connection:
            await api_keys.set_scopes(connection, "default", made["key_id"], ("read",))
        front.now_s += FRESH_S
        assert allowed(await front.statuses(made["key"], decision_id)) == {"read"}
        assert len(front.combiner.calls) == 2


async def test_keys_of_releases_without_scopes_go_on_as_before(empty_database_url: str) -> None:
    files = read_migrations()
    before = [file for file in files if file.number < 10]
    await migrate(empty_database_url, migrations=before)
    old, older = new_key(), new_key()
    connection = await asyncpg.connect(empty_database_url)
    await connection.execute(OLD_INSERT, older.key_id, hash_key(PEPPER, older))
    await migrate(empty_database_url, "pre", files)
    # During a roll-out the old release still creates keys.
    await connection.execute(OLD_INSERT, old.key_id, hash_key(PEPPER, old))
    await connection.close()
    await migrate(empty_database_url, migrations=files)
    async with front_of(empty_database_url) as (front, decision_id):
        for key in (older, old):
            statuses = await front.statuses(str(key), decision_id)
            assert allowed(statuses) == {"decide", "read", "label"}
        assert await front.pool.fetch("SELECT DISTINCT scopes FROM api_keys") == [
            (["decide", "read", "label"],)
        ]


@pytest.mark.parametrize(
    "scopes", ["{}", "{write}", "{decide,NULL}", "{{decide},{read}}", "{decide,Read}"]
)
async def test_the_table_takes_no_other_scopes(database_url: str, scopes: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        made = await api_keys.create(connection, PEPPER, tenant="default", name="n")
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(f"UPDATE api_keys SET scopes = '{scopes}'")
        with pytest.raises(asyncpg.NotNullViolationError):
            await connection.execute("UPDATE api_keys SET scopes = NULL")
        found = await connection.fetchval(
            "SELECT scopes FROM api_keys WHERE key_id = $1", made["key_id"]
        )
        assert found == ["decide", "read", "label"]
    finally:
        await connection.close()
