"""What one process takes on at a time."""

from __future__ import annotations

import asyncio
import errno
import threading
from pathlib import Path

import pytest

from bulk.files.refused import FileRefused
from fraud.errors import Overloaded
from serve_app.gateway.jobs.room import JobLimits, JobRoom
from settings.settings import Settings
from tests.contracts.waiting import until

FREE = JobLimits(reserve_bytes=0)


def never(*_: object) -> None:
    raise AssertionError("nothing is fetched")


def test_limits_come_from_the_settings() -> None:
    assert JobLimits.of(Settings(max_upload_mib=3)).upload_bytes == 3 << 20


def test_places_are_given_back() -> None:
    room = JobRoom(JobLimits(at_once=1), never)
    for _ in range(2):
        with room.place(), pytest.raises(Overloaded), room.place():
            raise AssertionError("there is one place")


def test_downloads_are_bounded_for_a_tenant_and_for_all() -> None:
    room = JobRoom(JobLimits(downloads=3, downloads_each=2), never)
    with room.download("a"), room.download("a"):
        with pytest.raises(Overloaded), room.download("a"):
            raise AssertionError("a tenant has two places")
        with room.download("b"), pytest.raises(Overloaded), room.download("c"):
            raise AssertionError("there are three places")
    with room.download("a"), room.download("a"):
        pass


async def test_space_that_is_reserved_is_not_there(tmp_path: Path) -> None:
    await JobRoom(FREE, never).require_space(tmp_path, 1)
    with pytest.raises(Overloaded):
        await JobRoom(FREE, never).require_space(tmp_path, 1 << 62)
    with pytest.raises(Overloaded):
        await JobRoom(JobLimits(reserve_bytes=1 << 62), never).require_space(tmp_path, 0)


async def test_so_many_files_are_copied_at_once(tmp_path: Path) -> None:
    running: list[str] = []
    go_on = threading.Event()

    def slow(source: str, _: Path, __: int) -> None:
        running.append(source)
        go_on.wait()

    room = JobRoom(JobLimits(reserve_bytes=0, copies=1), slow)
    copies = [asyncio.create_task(room.fetch(name, tmp_path / name)) for name in "ab"]
    await until(lambda: running != [])
    assert running == ["a"]
    go_on.set()
    await asyncio.gather(*copies)
    assert running == ["a", "b"]


@pytest.mark.parametrize(
    ("limits", "raised", "expected"),
    [
        (FREE, FileRefused("too-large", "x"), FileRefused),
        (FREE, OSError(errno.ENOSPC, "full"), Overloaded),
        (FREE, OSError(errno.EIO, "broken"), OSError),
        (JobLimits(upload_bytes=1 << 62), FileRefused("too-large", "x"), Overloaded),
        (JobLimits(upload_bytes=1 << 62), FileRefused("source-not-allowed", "x"), FileRefused),
    ],
)
async def test_a_disk_without_room_is_no_fault_of_the_file(
    tmp_path: Path, limits: JobLimits, raised: Exception, expected: type[Exception]
) -> None:
    asked: list[int] = []

    def fails(_: str, __: Path, most: int) -> None:
        asked.append(most)
        raise raised

    with pytest.raises(expected):
        await JobRoom(limits, fails).fetch("a", tmp_path / "a")
    assert asked[0] <= limits.upload_bytes
    assert asked[0] < 1 << 62
