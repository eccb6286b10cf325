"""A whole Quorum whose answers wait for PostgreSQL, which freezes for a while."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from cluster.embedded import EmbeddedPostgres
from cluster.node.node import Node
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.plan import Plan
from tests.contracts.small_quorum import VARIANTS, Quorum

TENANT = "default"
BOTH = Ensemble((Member("xgboost", 0.6), Member("logistic", 0.4)), Thresholds(0.3, 0.4, 0.45))
AT_RISK = "record_on_one_disk"


@pytest.fixture(scope="module")
def client(node: Node, database_url: str, redis_url: str) -> Iterator[httpx.Client]:
    quorum = Quorum.of(node, database_url, redis_url)
    with (node.home / "settings.env").open("a") as file:
        file.write("QUORUM_LOG_DURABILITY=database\n")
    for variant in VARIANTS:
        quorum.publish(variant, 0.004)
    quorum.activate(Plan("champions", 1, BOTH))
    quorum.deploy()
    headers = {"X-API-Key": quorum.key(TENANT)}
    with httpx.Client(base_url=node.url, headers=headers, timeout=20) as client:
        yield client


def decide(client: httpx.Client, name: str) -> dict[str, Any]:
    answer = client.post(
        "/v1/decisions",
        json={
            "transaction_id": name,
            "customer_id": f"customer of {name}",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "amount": "12.50",
            "currency": "EUR",
            "type": "purchase",
        },
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def on_record(url: str, ids: list[str]) -> int:
    async def count() -> int:
        connection = await asyncpg.connect(url)
        try:
            return int(
                await connection.fetchval(
                    "SELECT count(*) FROM decisions WHERE decision_id = ANY($1::uuid[])", ids
                )
            )
        finally:
            await connection.close()

    return asyncio.run(count())


def troubles(client: httpx.Client) -> list[str]:
    found: list[str] = client.get("/v2/health/ready").json().get("degraded", [])
    return found


def eventually(check: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.1)


@contextmanager
def frozen(server: EmbeddedPostgres) -> Iterator[None]:
    postmaster = psutil.Process(server.pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


def test_answers_wait_for_postgres_and_say_so_when_it_does_not_answer(
    client: httpx.Client, database_url: str, postgres: EmbeddedPostgres
) -> None:
    # The first ones connect to PostgreSQL, and may not wait that long.
    tries = iter(range(1000))
    eventually(lambda: AT_RISK not in decide(client, f"warm-{next(tries)}")["degraded_reasons"])
    for i in range(5):
        answer = decide(client, f"safe-{i}")
        assert AT_RISK not in answer["degraded_reasons"]
        assert answer["stage_ms"]["database"] > 0
        assert on_record(database_url, [answer["decision_id"]]) == 1, "before it was answered"
    with frozen(postgres):
        risky = [decide(client, f"risky-{i}") for i in range(20)]
        assert all(AT_RISK in answer["degraded_reasons"] for answer in risky)
        slow = [answer for answer in risky if answer["stage_ms"]["database"] > 100]
        assert len(slow) <= 2, "one for each combiner, the others do not wait"
        eventually(lambda: any("on this machine's disk alone" in said for said in troubles(client)))
    eventually(lambda: AT_RISK not in decide(client, f"after-{next(tries)}")["degraded_reasons"])
    ids = [answer["decision_id"] for answer in risky]
    eventually(lambda: on_record(database_url, ids) == len(ids))
    eventually(lambda: troubles(client) == [])
