from __future__ import annotations

import asyncio
import errno
import os
import subprocess
from functools import partial
from pathlib import Path

import pytest

from decision_log.disk import segment
from decision_log.disk.backlog import Backlog
from decision_log.disk.frame import MAX_PAYLOAD_BYTES
from decision_log.disk.segment import ASIDE, SegmentName, segments, writers_bytes
from decision_log.disk.wal import Wal, WalLimits
from fraud.errors import LogUnavailable
from telemetry.metrics import LogStats
from tests.contracts.waiting import until

QUICK = WalLimits(probe_interval_s=0.02)


def read_all(folder: Path, *, live: bool = False) -> list[bytes]:
    backlog = Backlog(folder, folder / "aside", LogStats(), live=live)
    found = []
    while (payload := backlog.next()) is not None:
        found.append(payload)
    backlog.close()
    return found


async def test_appended_payloads_are_there_together_and_in_order(tmp_path):
    stats = LogStats()
    wal = Wal(tmp_path, stats)
    written = [[b"%d-%d" % (i, j) for j in range(i % 4)] for i in range(200)]
    await asyncio.gather(*(wal.append(payloads) for payloads in written))
    flat = [p for payloads in written for p in payloads]
    assert read_all(tmp_path, live=True) == flat, "readable before the log is closed"
    await wal.close()
    assert read_all(tmp_path) == flat
    assert stats.appended_bytes == sum(12 + len(p) for p in flat)


async def test_appends_at_the_same_time_share_a_sync(tmp_path, monkeypatch):
    syncs = []
    real = segment.sync
    monkeypatch.setattr(segment, "sync", lambda fd: (syncs.append(fd), real(fd)))
    wal = Wal(tmp_path, LogStats())
    await asyncio.gather(*(wal.append([b"x" * 100]) for _ in range(500)))
    await wal.close()
    assert len(syncs) < 50
    assert len(read_all(tmp_path)) == 500


async def test_an_append_returns_only_after_a_sync_that_covers_it(tmp_path, monkeypatch):
    durable = 0
    real = segment.sync

    def sync(fd: int) -> None:
        nonlocal durable
        size = os.fstat(fd).st_size
        real(fd)
        durable = size

    monkeypatch.setattr(segment, "sync", sync)
    wal = Wal(tmp_path, LogStats())
    ends = []

    async def append(i: int) -> None:
        await wal.append([b"%08d" % i])
        ends.append(durable)

    for _ in range(20):
        await asyncio.gather(*(append(i) for i in range(5)))
    assert all(end >= 20 * (k + 1) for k, end in enumerate(ends)), "20 bytes a frame, in order"
    await wal.close()


async def test_segments_are_closed_when_full_and_numbers_go_on(tmp_path):
    limits = WalLimits(segment_bytes=100)
    for run in range(3):
        wal = Wal(tmp_path, LogStats(), limits)
        assert wal.first_number == 5 * run + 1
        for i in range(8):
            await wal.append([b"%044d" % (8 * run + i)])  # 56 bytes a frame: two a segment
        await wal.close()
    numbers = [name.number for name in segments(tmp_path)]
    assert numbers == [1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14], (
        "a gap before each run but the first"
    )
    assert read_all(tmp_path) == [b"%044d" % i for i in range(24)]


async def test_half_a_frame_of_a_killed_run_does_not_harm_the_next_run(tmp_path):
    wal = Wal(tmp_path, LogStats())
    await wal.append([b"a"])
    await wal.close()
    (left,) = segments(tmp_path)
    with (tmp_path / str(left)).open("ab") as file:
        file.write(left.salt + b"half")
    wal = Wal(tmp_path, LogStats())
    await wal.append([b"b"])
    await wal.close()
    stats = LogStats()
    backlog = Backlog(tmp_path, tmp_path / "aside", stats, live=False)
    assert [backlog.next(), backlog.next(), backlog.next()] == [b"a", b"b", None]
    assert (stats.torn_bytes, stats.damaged_bytes) == (8, 0)


async def test_numbers_go_on_after_everything_was_shipped(tmp_path):
    wal = Wal(tmp_path, LogStats())
    await wal.append([b"a"])
    await wal.close()
    backlog = Backlog(tmp_path, tmp_path, LogStats(), live=False)
    assert [backlog.next(), backlog.next()] == [b"a", None]
    backlog.commit()
    assert segments(tmp_path) == []
    wal = Wal(tmp_path, LogStats())
    await wal.append([b"b"])
    await wal.close()
    assert read_all(tmp_path) == [b"b"]


async def test_a_cancelled_append_does_not_harm_others(tmp_path):
    wal = Wal(tmp_path, LogStats())
    tasks = [asyncio.create_task(wal.append([b"%d" % i])) for i in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [d for d in done[1::2] if d is not None] == []
    await wal.append([b"after"])
    await wal.close()
    assert read_all(tmp_path)[-1] == b"after"


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
async def test_a_failed_sync_refuses_and_the_log_comes_back(tmp_path, monkeypatch, code):
    real, broken = segment.sync, True

    def sync(fd: int) -> None:
        if broken:
            raise OSError(code, os.strerror(code))
        real(fd)

    wal = Wal(tmp_path, LogStats(), QUICK)
    await wal.append([b"before"])
    monkeypatch.setattr(segment, "sync", sync)
    with pytest.raises(LogUnavailable, match=os.strerror(code)):
        await wal.append([b"lost"])
    for _ in range(3):
        with pytest.raises(LogUnavailable):
            await wal.append([b"lost"])
        await asyncio.sleep(0.03)
    assert wal.refused == os.strerror(code)
    broken = False
    await until(lambda: wal.refused is None)
    await wal.append([b"after"])
    await wal.close()
    assert read_all(tmp_path) == [b"before", b"after"]


@pytest.fixture
def tiny_disk(tmp_path):
    """A real file system of two MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_refuses_records_keeps_durable_ones_and_recovers(tiny_disk):
    ballast = tiny_disk / "ballast"
    ballast.write_bytes(bytes(1024 * 1024))
    wal = Wal(tiny_disk, LogStats(), QUICK)
    kept = []

    async def fill() -> None:
        for i in range(2000):
            await wal.append([b"%08d" % i * 400])
            kept.append(i)

    with pytest.raises(LogUnavailable, match="No space left"):
        await fill()
    assert kept, "some fitted"
    with pytest.raises(LogUnavailable):
        await wal.append([b"x" * 4096])
    assert wal.refused is not None
    ballast.unlink()
    await until(lambda: wal.refused is None)
    await wal.append([b"after"])
    await wal.close()
    assert read_all(tiny_disk) == [*(b"%08d" % i * 400 for i in kept), b"after"]


async def test_a_folder_may_hold_so_much_and_no_more(tmp_path):
    wal = Wal(tmp_path, LogStats(), WalLimits(4096, 8192, probe_interval_s=0.02))

    async def fill() -> None:
        for _ in range(100):
            await wal.append([bytes(1000)])

    with pytest.raises(LogUnavailable, match="wait for PostgreSQL"):
        await fill()
    first = segments(tmp_path)[0]
    (tmp_path / str(first)).unlink()  # as if it had been shipped
    await until(lambda: wal.refused is None)
    await wal.append([b"after"])
    await wal.close()


async def test_folders_of_dead_writers_count_towards_the_limit(tmp_path):
    for owner, size in (("dead", 6000), (ASIDE, 9000)):
        (tmp_path / owner).mkdir()
        (tmp_path / owner / str(SegmentName(1, b"abcd"))).write_bytes(bytes(size))
    (tmp_path / "plan.json").write_bytes(bytes(9000))
    assert writers_bytes(tmp_path) == 6000
    (tmp_path / "own").mkdir()
    held = partial(writers_bytes, tmp_path)
    wal = Wal(tmp_path / "own", LogStats(), WalLimits(4096, 8192), held=held)
    with pytest.raises(LogUnavailable, match="wait for PostgreSQL"):
        await wal.append([b"more"])
    await wal.close()


async def test_too_much_that_waits_is_refused(tmp_path, monkeypatch):
    at_the_disk, release = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    real = segment.sync

    def slow(fd: int) -> None:
        loop.call_soon_threadsafe(at_the_disk.set)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(60)
        real(fd)

    wal = Wal(tmp_path, LogStats(), WalLimits(pending_bytes=1000))
    await wal.append([b"a"])
    monkeypatch.setattr(segment, "sync", slow)
    tasks = [asyncio.create_task(wal.append([bytes(400)]))]
    await at_the_disk.wait()  # nothing waits
    tasks += [asyncio.create_task(wal.append([bytes(400)])) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(LogUnavailable, match="too many records wait"):
        await wal.append([bytes(400)])
    release.set()
    await asyncio.gather(*tasks)
    await wal.close()


async def test_a_closed_log_refuses(tmp_path):
    wal = Wal(tmp_path, LogStats())
    await wal.close()
    await wal.close()
    with pytest.raises(LogUnavailable, match="closed"):
        await wal.append([b"a"])


@pytest.mark.parametrize("payload", [b"", bytes(MAX_PAYLOAD_BYTES + 1)])
async def test_a_wrong_payload_is_its_callers_fault_alone(tmp_path, payload):
    wal = Wal(tmp_path, LogStats())
    with pytest.raises(ValueError, match="payload"):
        await wal.append([payload])
    await wal.append([b"a"])
    await wal.append([])
    await wal.close()
    assert read_all(tmp_path) == [b"a"]
