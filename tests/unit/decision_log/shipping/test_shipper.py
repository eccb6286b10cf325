from __future__ import annotations

import asyncio
import errno

import pytest

from decision_log.disk import segment
from decision_log.disk.backlog import Backlog
from decision_log.disk.dead_letters import DeadLetters
from decision_log.disk.frame import frame
from decision_log.disk.segment import ASIDE, SegmentName, segments
from decision_log.entry import decode, encode
from decision_log.shipping.shipper import Shipper, ShipperConfig
from decision_log.shipping.sink import RecordRefused
from fraud.errors import StoreUnavailable
from telemetry.metrics import LogStats
from tests.contracts.decisions import decision_records, gathered
from tests.contracts.waiting import PATIENCE_S, until

SALT = b"abcd"
QUICK = ShipperConfig(max_rows=10, linger_s=0.0, retry_s=0.001, max_retry_s=0.01)


class Memory:
    """A sink that refuses transactions named `bad...`, and is down for the first `away` calls."""

    def __init__(self, away: int = 0, error: Exception | None = None) -> None:
        self.away = away
        self.error = error or StoreUnavailable("away")
        self.kept: list[str] = []
        self.batches: list[int] = []

    async def insert(self, batches) -> int:
        records = [record for batch in batches for record in batch]
        if self.away:
            self.away -= 1
            raise self.error
        if any(r.transaction.transaction_id.startswith("bad") for r in records):
            raise RecordRefused("bad data")
        self.batches.append(len(records))
        fresh = [r.decision_id for r in records if r.decision_id not in self.kept]
        self.kept += fresh
        return len(records) - len(fresh)

    async def close(self) -> None:
        pass


class House:
    def __init__(self, root, sink: Memory, *, live: bool = False) -> None:
        self.folder = root / "own"
        self.folder.mkdir()
        self.root = root
        self.stats = LogStats()
        self.backlog = Backlog(self.folder, root / ASIDE, self.stats, live=live)
        self.dead = DeadLetters(root, self.stats)
        self.gone: list[str] = []
        self.shipper = Shipper(
            self.backlog,
            sink,
            self.dead,
            self.stats,
            QUICK,
            lambda number, records, refused: self.gone.extend(r.decision_id for r in records),
        )

    def write(self, records, number: int = 1) -> None:
        self.write_payloads(payloads(records), number)

    def write_payloads(self, payloads, number: int = 1) -> None:
        with (self.folder / str(SegmentName(number, SALT))).open("ab") as file:
            file.write(b"".join(frame(p, SALT) for p in payloads))

    def dead_letters(self) -> list[bytes]:
        self.dead.close()
        found = []
        for name in segments(self.dead.folder):
            alone = self.root / f"read-{name.number}"
            alone.mkdir()
            (self.dead.folder / str(name)).rename(alone / str(name))
            log = Backlog(alone, alone, LogStats(), live=False)
            while (payload := log.next()) is not None:
                found.append(payload)
        return found


def payloads(records) -> list[bytes]:
    return [payload for batch in gathered(records) for payload in encode(batch)]


def ids(records) -> list[str]:
    return [r.decision_id for r in records]


async def test_everything_arrives_once_in_order_in_batches(tmp_path):
    sink = Memory()
    house = House(tmp_path, sink)
    written = [decision_records(3, f"e{i}-") for i in range(11)]
    for records in written:
        house.write(records)
    await house.shipper.drain()
    flat = ids(r for records in written for r in records)
    assert sink.kept == house.gone == flat
    assert sink.batches == [12, 12, 9]
    assert house.stats.shipped_rows == 33
    await house.shipper.drain()
    assert sink.batches == [12, 12, 9]


@pytest.mark.virtual_time
@pytest.mark.parametrize("error", [StoreUnavailable("away"), OSError("x"), RuntimeError("defect")])
async def test_a_ledger_that_is_away_costs_time_only(tmp_path, error):
    sink = Memory(away=4, error=error)
    house = House(tmp_path, sink)
    records = decision_records(5)
    house.write(records)
    task = asyncio.create_task(house.shipper.drain())
    await asyncio.sleep(0.002)
    assert house.shipper.failure is not None
    await task
    assert sink.kept == ids(records)
    assert house.stats.ship_errors == 4
    assert house.shipper.failure is None


async def test_a_record_that_is_refused_is_set_aside_alone(tmp_path):
    sink = Memory()
    house = House(tmp_path, sink)
    good = decision_records(7)
    bad = decision_records(2, "bad")
    house.write([*good[:3], bad[0], *good[3:6], bad[1], good[6]])
    await house.shipper.drain()
    assert sorted(sink.kept) == sorted(ids(good))
    assert ids(r for payload in house.dead_letters() for r in decode(payload)) == ids(bad)
    assert (house.stats.dead_letters, house.stats.shipped_rows) == (2, 7)


async def test_refused_records_are_set_aside_once_though_the_ledger_goes_away(tmp_path):
    class Flaky(Memory):
        async def insert(self, batches) -> int:
            if sum(map(len, batches)) == 1 and self.away:
                self.away -= 1
                raise StoreUnavailable("away")
            held, self.away = self.away, 0
            try:
                return await super().insert(batches)
            finally:
                self.away = held

    sink = Flaky(away=3)
    house = House(tmp_path, sink)
    house.write([*decision_records(2, "bad"), *decision_records(2)])
    await house.shipper.drain()
    assert house.stats.dead_letters == 2
    assert len(house.dead_letters()) == 2


async def test_an_entry_that_cannot_be_read_is_set_aside(tmp_path):
    sink = Memory()
    house = House(tmp_path, sink)
    records = decision_records(2)
    house.write_payloads([b"\xc1", *payloads(records), b"junk"])
    await house.shipper.drain()
    assert sink.kept == ids(records)
    assert house.dead_letters() == [b"\xc1", b"junk"]


async def test_entries_that_cannot_be_read_come_a_batch_at_a_time_like_others(
    tmp_path, monkeypatch
):
    """As after a downgrade: a whole folder of an unknown format."""
    sink = Memory()
    house = House(tmp_path, sink)
    read, most, syncs = 0, 0, 0
    next_, commit, sync = house.backlog.next, house.backlog.commit, segment.sync

    def counted_next() -> bytes | None:
        nonlocal read, most
        payload = next_()
        read += payload is not None
        most = max(most, read)
        return payload

    def counted_commit() -> None:
        nonlocal read
        read = 0
        commit()

    def counted_sync(fd: int) -> None:
        nonlocal syncs
        syncs += 1
        sync(fd)

    monkeypatch.setattr(house.backlog, "next", counted_next)
    monkeypatch.setattr(house.backlog, "commit", counted_commit)
    monkeypatch.setattr(segment, "sync", counted_sync)
    junk = [b"junk %d" % i for i in range(95)]
    records = decision_records(3)
    house.write_payloads(junk)
    house.write(records, 2)
    await house.shipper.drain()
    assert most == QUICK.max_rows
    assert syncs == 10
    assert sink.kept == ids(records)
    assert (house.stats.dead_letters, house.stats.shipped_rows) == (95, 3)
    assert house.backlog.is_empty()
    assert house.dead_letters() == junk


async def test_a_disk_that_is_full_empties_though_no_position_can_be_kept(tmp_path, monkeypatch):
    def full(*_) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("decision_log.disk.backlog.save_position", full)
    sink = Memory()
    house = House(tmp_path, sink, live=True)
    written = [decision_records(11, f"{i}-") for i in range(3)]
    for number, records in enumerate(written, 1):
        house.write(records, number)
    await asyncio.wait_for(house.shipper.drain(), PATIENCE_S)
    assert sink.kept == ids(r for records in written for r in records)
    assert (house.stats.ship_batches, house.stats.ship_errors) == (3, 0)
    assert [name.number for name in segments(house.folder)] == [3]


@pytest.mark.virtual_time
async def test_being_cancelled_midway_loses_nothing(tmp_path):
    class Slow(Memory):
        async def insert(self, batches) -> int:
            await asyncio.sleep(0.05)
            return await super().insert(batches)

    sink = Slow()
    house = House(tmp_path, sink)
    records = decision_records(3)
    house.write(records)
    task = asyncio.create_task(house.shipper.run())
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert sink.kept == []
    await house.shipper.drain()
    assert sink.kept == ids(records)


async def test_it_ships_when_something_is_appended(tmp_path):
    sink = Memory()
    house = House(tmp_path, sink, live=True)
    task = asyncio.create_task(house.shipper.run())
    for i in range(20):
        house.write(decision_records(1, f"{i}-"), 1 + i // 5)
        house.shipper.notify()
        await asyncio.sleep(0.001 * (i % 3))
    await until(lambda: len(sink.kept) == 20)
    task.cancel()
    assert [name.number for name in segments(house.folder)] == [4]


def test_when_much_comes_more_of_it_travels_together():
    pace = ShipperConfig(max_rows=100, linger_s=0.01, busy_rows=8, busy_linger_s=0.3)
    assert [pace.linger_after(rows) for rows in (1, 7, 8, 99)] == [0.01, 0.01, 0.3, 0.3]


@pytest.mark.virtual_time
async def test_attempts_may_be_bounded_and_nothing_is_lost(tmp_path):
    sink = Memory(away=3)
    house = House(tmp_path, sink)
    records = decision_records(5)
    house.write(records)
    config = ShipperConfig(retry_s=0.001, attempts=2)
    bounded = Shipper(house.backlog, sink, house.dead, house.stats, config)
    with pytest.raises(StoreUnavailable):
        await bounded.drain()
    assert (sink.away, house.stats.ship_errors, sink.kept) == (1, 2, [])
    await bounded.drain()
    assert sink.kept == ids(records)


async def test_records_that_were_there_already_are_counted(tmp_path):
    sink = Memory()
    house = House(tmp_path, sink)
    first, second, bad = decision_records(5), decision_records(3, "s"), decision_records(1, "bad")
    await sink.insert(gathered(first))
    house.write([*first, *second, *bad])
    await house.shipper.drain()
    assert house.stats.repeated_rows == 5
    assert house.stats.shipped_rows == 8


async def test_it_tells_which_records_were_refused(tmp_path):
    house, told = House(tmp_path, Memory()), []
    house.write([*decision_records(2), *(bad := decision_records(1, "bad"))])
    shipper = Shipper(
        house.backlog,
        Memory(),
        house.dead,
        house.stats,
        QUICK,
        lambda number, records, refused: told.append(set(refused)),
    )
    await shipper.drain()
    assert told
    assert all(refused == set(ids(bad)) for refused in told)
