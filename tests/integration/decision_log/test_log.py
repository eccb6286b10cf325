"""Every returned decision is in PostgreSQL exactly once, whichever process was killed."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from cluster.embedded import EmbeddedPostgres
from decision_log.log import DecisionLog
from decision_log.shipping.shipper import ShipperConfig
from fraud.errors import LogUnavailable
from tests.contracts.decision_logs import assert_exactly_once, kill, start_writer
from tests.contracts.decisions import decision_records, gathered
from tests.contracts.waiting import until

QUICK = ShipperConfig(linger_s=0.002, busy_linger_s=0.002, retry_s=0.01, max_retry_s=0.1)


async def settled(root: Path, url: str, *, timeout_s: float = 60.0) -> DecisionLog:
    """Let a new writer take over everything that dead writers left."""
    log = DecisionLog(root, url, "survivor", shipper=QUICK, orphans_s=0.05)
    await log.start()
    await until(lambda: {p.name for p in root.iterdir()} == {"survivor"}, timeout_s)
    await log.close()
    return log


async def test_killed_at_fifty_moments_under_load(tmp_path, database_url):
    root, told = tmp_path / "wal", []
    seed = int(os.environ.get("QUORUM_TEST_SEED", secrets.randbits(32)))
    print(f"QUORUM_TEST_SEED={seed} makes the same moments")  # shown if it fails

    async def lane(name: str) -> None:
        rng = random.Random(f"{seed} {name}")
        # More where the machine is so busy that little is written between two kills.
        for round_ in count():
            if round_ >= 25 and len(told) > 1000:
                break
            # An owner comes back every third time; until then a neighbour may take its folder over.
            writer = start_writer(root, database_url, f"{name}-{round_ % 3}")
            assert writer.stdout is not None
            first = await asyncio.to_thread(writer.stdout.readline)
            await asyncio.sleep(rng.uniform(0.0, 0.15))
            told.extend([first.strip(), *await asyncio.to_thread(kill, writer)])

    await asyncio.gather(lane("left"), lane("right"))
    assert len(told) > 1000
    await settled(root, database_url)
    await assert_exactly_once(database_url, told)


async def test_two_writers_at_once_and_one_takes_over_the_other(tmp_path, database_url):
    root = tmp_path / "wal"
    dying = start_writer(root, database_url, "dying")
    living = start_writer(root, database_url, "living")
    assert dying.stdout is not None
    assert living.stdout is not None
    told = [dying.stdout.readline().strip(), living.stdout.readline().strip()]
    await asyncio.sleep(0.2)
    ended = asyncio.create_task(asyncio.to_thread(kill, dying))
    reading = asyncio.create_task(asyncio.to_thread(living.stdout.read))
    await until(lambda: not (root / "dying").exists())
    assert living.stdin is not None
    living.stdin.close()
    told += await ended + (await reading).split()
    assert living.wait() == 0
    assert os.listdir(root) == [], "the living one took over, and left in order"
    await assert_exactly_once(database_url, told)


async def test_the_folder_is_durable_before_any_record(tmp_path, database_url, monkeypatch):
    synced = []
    monkeypatch.setattr("decision_log.log.sync_folder", synced.append)
    log = DecisionLog(tmp_path / "wal", database_url, "a", shipper=QUICK)
    await log.start()
    assert synced == [tmp_path / "wal", tmp_path]
    await log.close()


async def test_an_orderly_end_leaves_nothing_behind(tmp_path, database_url):
    log = DecisionLog(tmp_path, database_url, "a", shipper=QUICK)
    await log.start()
    records = [decision_records(3, f"orderly-{i}-") for i in range(40)]
    await asyncio.gather(*(log.append([batch]) for r in records for batch in gathered(r)))
    await log.close()
    await log.close()
    assert list(tmp_path.iterdir()) == []
    assert log.stats.appended_rows == log.stats.own_shipped_rows == 120
    assert log.lag().rows == 0
    await assert_exactly_once(database_url, [r.decision_id for b in records for r in b])
    with pytest.raises(LogUnavailable):
        await log.append(gathered(records[0]))


async def test_an_owner_is_one_process_and_its_name_one_folder(tmp_path, database_url, monkeypatch):
    monkeypatch.setattr("decision_log.log._CLAIM_TIMEOUT_S", 0.1)
    first = DecisionLog(tmp_path, database_url, "a")
    await first.start()
    with pytest.raises(LogUnavailable, match="holds"):
        await DecisionLog(tmp_path, database_url, "a").start()
    await first.close()
    for name in ("", ".", "..", "a/b", "/a", "dead-letters"):
        with pytest.raises(ValueError, match="folder"):
            DecisionLog(tmp_path, database_url, name)


async def test_a_log_without_its_folder_does_not_start(tmp_path, database_url):
    (tmp_path / "wal").write_text("a file")
    with pytest.raises(LogUnavailable):
        await DecisionLog(tmp_path / "wal", database_url, "a").start()


async def test_a_poisoned_record_is_set_aside_and_does_not_block_others(tmp_path, database_url):
    log = DecisionLog(tmp_path, database_url, "a", shipper=QUICK)
    await log.start()
    good = decision_records(6, "well-")
    poisoned = replace(decision_records(1, "ill-")[0], outcome="perhaps")
    for batch in gathered([*good[:3], poisoned, *good[3:]]):
        await log.append([batch])
    await log.close()
    assert log.stats.dead_letters == 1
    assert [p.name for p in tmp_path.iterdir()] == ["dead-letters"]
    await assert_exactly_once(database_url, [r.decision_id for r in good])


def test_postgres_away_in_the_middle(tmp_path, own_postgres):
    asyncio.run(_postgres_away(tmp_path, own_postgres))


async def _postgres_away(root: Path, server: EmbeddedPostgres) -> None:
    url = server.url
    log = DecisionLog(root, url, "a", shipper=QUICK)
    await log.start()
    told, stop = [], False

    async def client(k: int) -> None:
        i = 0
        while not stop:
            records = decision_records(2, f"{k}-{i}-", at_ms=time.time_ns() // 1_000_000)
            await log.append(gathered(records))
            told.extend(r.decision_id for r in records)
            i += 1
            await asyncio.sleep(0.002)

    clients = [asyncio.create_task(client(k)) for k in range(4)]
    began_s = time.time()
    await until(lambda: len(told) > 0)
    await asyncio.to_thread(server.stop)
    before = len(told)
    await until(lambda: len(told) > before)  # decisions go on
    await until(lambda: log.lag().reason is not None and log.lag().seconds > 0.2)
    away = log.lag()
    assert away.rows > 0
    assert away.bytes > 0
    assert away.healthy
    assert not away.shipping
    assert away.reason is not None
    assert "quorum:" not in away.reason
    assert away.seconds <= time.time() - began_s
    await asyncio.to_thread(server.start)
    await until(lambda: log.lag().shipping)
    stop = True
    await asyncio.gather(*clients)
    await log.close()
    assert log.lag().rows == 0
    assert log.stats.ship_errors > 0
    await assert_exactly_once(url, told)


def test_records_that_could_not_be_shipped_wait_for_the_next_run(tmp_path, own_postgres):
    asyncio.run(_next_run(tmp_path, own_postgres))


async def _next_run(root: Path, server: EmbeddedPostgres) -> None:
    url = server.url
    await asyncio.to_thread(server.stop)
    log = DecisionLog(root, url, "a", shipper=QUICK)
    await log.start()
    records = decision_records(200, "later-")
    await log.append(gathered(records))
    await log.close(timeout_s=0.2)
    assert (root / "a").is_dir()
    await asyncio.to_thread(server.start)
    again = DecisionLog(root, url, "a", shipper=QUICK)
    await again.start()
    await until(lambda: again.stats.shipped_rows == 200)
    assert again.stats.own_shipped_rows == 0
    assert again.lag().rows == 0
    await again.close()
    assert os.listdir(root) == []
    await assert_exactly_once(url, [r.decision_id for r in records])
