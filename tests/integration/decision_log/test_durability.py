"""`QUORUM_LOG_DURABILITY=database`: what is answered is in PostgreSQL, whatever is lost."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import asyncpg
import psutil
import pytest

from cluster.embedded import EmbeddedPostgres
from decision_log.log import DecisionLog
from fraud.record import RecordBatch
from tests.contracts.decision_logs import assert_exactly_once, kill, start_writer
from tests.contracts.decisions import decision_records, gathered
from tests.contracts.waiting import until

WAIT_S = 0.5
PATIENT_S = 60.0
"""A wait that a busy machine does not end."""


def now_records(n: int, prefix: str) -> list[RecordBatch]:
    return gathered(decision_records(n, prefix, at_ms=time.time_ns() // 1_000_000))


def ids(batches: list[RecordBatch]) -> list[str]:
    return [r.decision_id for records in batches for r in records]


async def answered(log: DecisionLog, batches: list[RecordBatch]) -> tuple[bool, float]:
    """Append, and wait for PostgreSQL. Returns whether it has the records, and the seconds."""
    began_s = time.monotonic()
    await log.append(batches)
    return await log.reach_database(batches), time.monotonic() - began_s


async def test_the_machine_and_its_disk_are_lost(tmp_path, database_url):
    """Killed in the middle of appends, and its folder removed: every answer is in PostgreSQL."""
    told: list[str] = []
    rng = random.Random(15)
    for number in count():
        if number >= 5 and len(told) > 500:
            break
        root = tmp_path / f"machine-{number}" / "wal"
        writer = start_writer(root, database_url, "a", str(PATIENT_S))
        assert writer.stdout is not None
        first = await asyncio.to_thread(writer.stdout.readline)
        await asyncio.sleep(rng.uniform(0.0, 0.4))
        told += [first.strip(), *await asyncio.to_thread(kill, writer)]
        shutil.rmtree(root.parent)
    assert len(told) > 500
    await assert_exactly_once(database_url, told)


async def test_an_answer_finds_its_record_in_postgres(tmp_path, database_url):
    log = DecisionLog(tmp_path, database_url, "a", database_wait_s=PATIENT_S)
    await log.start()
    connection = await asyncpg.connect(database_url)
    for n in (1, 3, 300, 2):
        batches = now_records(n, f"found-{n}-")
        reached, _ = await answered(log, batches)
        assert reached
        found = await connection.fetchval(
            "SELECT count(*) FROM decisions WHERE decision_id = ANY($1::uuid[])", ids(batches)
        )
        assert found == n
        lag = log.lag()
        assert (lag.rows, lag.at_risk_rows, lag.exposed) == (0, 0, None)
    await connection.close()
    await log.close()


async def test_micro_batches_that_wait_share_a_transaction(tmp_path, database_url):
    log = DecisionLog(tmp_path, database_url, "a", database_wait_s=PATIENT_S)
    await log.start()
    await answered(log, now_records(1, "first-"))
    before = log.stats.ship_batches
    at_risk = []

    async def look() -> None:
        while True:
            at_risk.append(log.lag().at_risk_rows)
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    found = await asyncio.gather(
        *(answered(log, now_records(2, f"shared-{i}-")) for i in range(64))
    )
    looking.cancel()
    assert all(reached for reached, _ in found)
    assert log.stats.ship_batches - before <= 16
    assert set(at_risk) == {0}, "their answers were withheld"
    await log.close()


async def test_a_record_that_postgres_refuses_is_said_to_be_on_one_disk(tmp_path, database_url):
    log = DecisionLog(tmp_path, database_url, "a", database_wait_s=PATIENT_S)
    await log.start()
    ill = replace(decision_records(1, "refused-")[0], outcome="perhaps")
    (bad, _), (good, _) = await asyncio.gather(
        answered(log, gathered([ill])), answered(log, now_records(3, "taken-"))
    )
    assert (bad, good) == (False, True)
    assert log.lag().exposed is None, "PostgreSQL answers"
    await log.close()


def all_processes(server: EmbeddedPostgres) -> list[psutil.Process]:
    postmaster = psutil.Process(server.pid)
    return [postmaster, *postmaster.children(recursive=True)]


@pytest.mark.parametrize("how", ["stopped", "frozen"])
def test_postgres_goes_away_and_comes_back(how, tmp_path, own_postgres):
    asyncio.run(_away_and_back(how, tmp_path, own_postgres))


async def _away_and_back(how: str, root: Path, server: EmbeddedPostgres) -> None:
    log = DecisionLog(root, server.url, "a", database_wait_s=WAIT_S)
    await log.start()
    told: list[str] = []

    async def tell(prefix: str) -> tuple[bool, float]:
        batches = now_records(2, prefix)
        found = await answered(log, batches)
        told.extend(ids(batches))
        return found

    tries = count()
    while not (await tell(f"before-{next(tries)}-"))[0]:  # the first one connects
        pass
    frozen = all_processes(server) if how == "frozen" else []
    for process in frozen:
        process.send_signal(signal.SIGSTOP)
    if not frozen:
        await asyncio.to_thread(server.stop)
    waited = await asyncio.gather(*(tell(f"first-{i}-") for i in range(8)))
    assert {reached for reached, _ in waited} == {False}
    assert max(took_s for _, took_s in waited) < WAIT_S + 0.5
    later = [await tell(f"later-{i}-") for i in range(50)]
    assert {reached for reached, _ in later} == {False}
    assert sum(took_s for _, took_s in later) < 50 * WAIT_S / 5, "nobody waits in vain again"
    lag = log.lag()
    assert lag.healthy
    assert lag.at_risk_rows == lag.rows == 2 * 58
    assert lag.exposed
    late = now_records(2, "late-")
    await log.append(late)
    told.extend(ids(late))
    for process in frozen:
        process.send_signal(signal.SIGCONT)
    if not frozen:
        await asyncio.to_thread(server.start)
    await until(lambda: log.lag().exposed is None)
    assert log.lag().at_risk_rows <= 500
    assert not await log.reach_database(late)
    assert log.lag().exposed is None, "appended before: it says nothing of PostgreSQL now"
    while not (await tell(f"after-{next(tries)}-"))[0]:
        pass
    await until(lambda: log.lag().rows == 0)
    await log.close()
    await assert_exactly_once(server.url, told)
