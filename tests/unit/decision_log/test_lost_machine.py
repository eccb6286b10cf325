from __future__ import annotations

import os

import pytest

from decision_log.disk.claim import claim
from decision_log.disk.frame import frame
from decision_log.disk.segment import ASIDE, SegmentName
from decision_log.entry import encode
from decision_log.lost_machine import LogRefused, LostMachine, find_log, state_of
from tests.contracts.decisions import DECIDED_AT_MS, decision_records, gathered

SALT = b"abcd"


class Memory:
    def __init__(self) -> None:
        self.kept: list[str] = []

    async def insert(self, batches) -> int:
        told = [record.decision_id for batch in batches for record in batch]
        fresh = [one for one in told if one not in self.kept]
        self.kept += fresh
        return len(told) - len(fresh)

    async def close(self) -> None:
        pass


def leave(folder, *groups, tail: bytes = b"") -> None:
    folder.mkdir(parents=True)
    payloads = [p for records in groups for batch in gathered(records) for p in encode(batch)]
    data = b"".join(frame(payload, SALT) for payload in payloads)
    (folder / str(SegmentName(1, SALT))).write_bytes(data + tail)


def test_a_log_is_found_by_its_home_its_root_or_a_writer(tmp_path):
    root = tmp_path / "home" / "wal"
    leave(root / "b", decision_records(1))
    (root / "a").mkdir()
    (root / "a" / "lock").touch()
    (root / "lost+found").mkdir()
    (root / ASIDE).mkdir()
    (root / ASIDE / "one").touch()
    for folder in (root, tmp_path / "home"):
        found = find_log(folder)
        assert (found.root, found.writers) == (root, (root / "a", root / "b"))
        assert found.dead_letters == (root / ASIDE / "one",)
    alone = find_log(root / "b")
    assert (alone.root, alone.writers, alone.dead_letters) == (None, (root / "b",), ())


def test_a_log_that_was_shipped_whole_is_a_log(tmp_path):
    (tmp_path / "home" / "wal").mkdir(parents=True)
    assert find_log(tmp_path / "home").writers == ()
    assert find_log(tmp_path / "home" / "wal").writers == ()


def test_what_is_no_log_or_not_ours_is_refused(tmp_path, monkeypatch):
    (tmp_path / "other" / "deeper").mkdir(parents=True)
    leave(tmp_path / ASIDE, decision_records(1))
    with pytest.raises(LogRefused, match="no such folder"):
        find_log(tmp_path / "missing")
    with pytest.raises(LogRefused, match="holds no decision log"):
        find_log(tmp_path / "other")
    with pytest.raises(LogRefused, match="dead letters"):
        find_log(tmp_path / ASIDE)
    with pytest.raises(LogRefused, match="is a file"):
        find_log(tmp_path / ASIDE / str(SegmentName(1, SALT)))
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a").symlink_to(tmp_path / ASIDE)
    with pytest.raises(LogRefused, match="symbolic link"):
        find_log(tmp_path / "links")
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with pytest.raises(LogRefused, match="belongs to uid"):
        find_log(tmp_path / ASIDE)


def test_the_state_of_a_folder_is_told_without_changing_it(tmp_path):
    folder = tmp_path / "a"
    older = decision_records(2, "o", at_ms=DECIDED_AT_MS - 5000)
    leave(folder, decision_records(3), older, tail=frame(b"no entry", SALT) + b"torn")
    before = sorted(path.name for path in folder.iterdir())
    state = state_of(folder)
    assert (state.alive, state.entries, state.rows, state.unreadable) == (False, 3, 5, 1)
    assert state.oldest_ms == DECIDED_AT_MS - 5000
    assert state.bytes == (folder / str(SegmentName(1, SALT))).stat().st_size
    assert sorted(path.name for path in folder.iterdir()) == before
    held = claim(folder, create=False)
    assert held is not None
    assert state_of(folder).alive
    held.release()
    (tmp_path / "empty").mkdir()
    assert state_of(tmp_path / "empty").oldest_ms is None


async def test_a_folder_is_shipped_and_removed_or_kept(tmp_path):
    records, sink = decision_records(4), Memory()
    leave(tmp_path / "a", records[:2], records[2:], tail=b"torn")
    keeper = LostMachine(sink, tmp_path / "here", keep=True)
    for repeated in (0, 4):
        told = await keeper.ship(tmp_path / "a")
        assert (told.entries, told.rows, told.repeated, told.torn_bytes) == (2, 4, repeated, 4)
        assert (told.kept, told.failed, told.stays) == (True, False, "as asked")
    mover = LostMachine(sink, tmp_path / "here")
    told = await mover.ship(tmp_path / "a")
    assert (told.rows, told.repeated, told.kept, told.stays) == (4, 4, False, "")
    assert not (tmp_path / "a").exists()
    told = await mover.ship(tmp_path / "a")
    assert (told.rows, told.alive, told.stays) == (0, False, "")
    assert sink.kept == [r.decision_id for r in records]
    assert not (tmp_path / "here").exists(), "nothing was set aside"


async def test_what_else_is_in_a_folder_stays(tmp_path):
    sink = Memory()
    leave(tmp_path / "a", decision_records(1))
    (tmp_path / "a" / "note").write_text("?")
    told = await LostMachine(sink, tmp_path / "here").ship(tmp_path / "a")
    assert told.rows == 1
    assert told.stays == "it cannot be removed: Directory not empty"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["note"]


async def test_a_living_log_is_left_alone(tmp_path):
    sink = Memory()
    leave(tmp_path / "a", decision_records(1))
    held = claim(tmp_path / "a", create=False)
    assert held is not None
    for keep in (True, False):
        told = await LostMachine(sink, tmp_path / "here", keep=keep).ship(tmp_path / "a")
        assert (told.alive, told.rows, told.stays) == (True, 0, "it is in use")
    assert sink.kept == []
    held.release()
