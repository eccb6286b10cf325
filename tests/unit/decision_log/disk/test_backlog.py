from __future__ import annotations

import errno
import os

import pytest

from decision_log.disk.backlog import Backlog
from decision_log.disk.frame import frame
from decision_log.disk.position import Position, load_position, save_position
from decision_log.disk.segment import SegmentName, segments
from telemetry.metrics import LogStats

SALT = b"abcd"


def write(folder, number: int, *payloads: bytes, tail: bytes = b"", salt: bytes = SALT) -> None:
    name = str(SegmentName(number, salt))
    with (folder / name).open("ab") as file:
        file.write(b"".join(frame(p, salt) for p in payloads) + tail)


def backlog(folder, *, live: bool, stats: LogStats | None = None) -> Backlog:
    return Backlog(folder, folder / "aside", stats or LogStats(), live=live)


def take(log: Backlog) -> list[bytes]:
    found = []
    while (payload := log.next()) is not None:
        found.append(payload)
    return found


def test_a_live_folder_is_read_as_it_grows(tmp_path):
    log = backlog(tmp_path, live=True)
    assert take(log) == []
    write(tmp_path, 1, b"a")
    assert take(log) == [b"a"]
    write(tmp_path, 1, b"b", b"c")
    write(tmp_path, 2, b"d")
    assert take(log) == [b"b", b"c", b"d"]
    write(tmp_path, 5, b"e")
    assert take(log) == [b"e"]
    assert take(log) == []


def test_half_a_frame_at_the_end_of_a_live_folder_is_waited_for(tmp_path):
    whole = frame(b"payload", SALT)
    write(tmp_path, 1, b"a", tail=whole[:9])
    log = backlog(tmp_path, live=True)
    assert take(log) == [b"a"]
    write(tmp_path, 1, tail=whole[9:])
    assert take(log) == [b"payload"]


def test_committed_segments_are_not_read_again_and_are_removed(tmp_path):
    for number in (1, 2, 3):
        write(tmp_path, number, b"%d" % number, b"x")
    log = backlog(tmp_path, live=True)
    assert [log.next() for _ in range(3)] == [b"1", b"x", b"2"]
    log.commit()
    assert [name.number for name in segments(tmp_path)] == [2, 3]
    assert log.next() == b"x"
    log.rewind()
    assert log.next() == b"x"
    assert take(backlog(tmp_path, live=True)) == [b"x", b"3", b"x"]


def test_a_torn_tail_is_passed_once_and_counted(tmp_path):
    stats = LogStats()
    write(tmp_path, 1, b"a", tail=frame(b"torn", SALT)[:-1])
    write(tmp_path, 3, b"b")
    log = backlog(tmp_path, live=True, stats=stats)
    assert take(log) == [b"a", b"b"]
    assert (stats.torn_bytes, stats.damaged_bytes) == (15, 0)
    stats = LogStats()
    write(tmp_path, 3, tail=b"torn")
    log = backlog(tmp_path, live=False, stats=stats)
    assert take(log) == [b"a", b"b"]
    assert take(log) == []
    assert stats.torn_bytes == 19


def test_a_damaged_segment_is_read_around_and_kept_aside(tmp_path):
    stats = LogStats()
    write(tmp_path, 1, b"a", tail=b"?" * 30)
    write(tmp_path, 1, b"b")
    write(tmp_path, 2, b"c")
    log = backlog(tmp_path, live=True, stats=stats)
    assert take(log) == [b"a", b"b", b"c"]
    log.commit()
    assert stats.damaged_bytes == 30
    (aside,) = (tmp_path / "aside").iterdir()
    assert aside.read_bytes() == frame(b"a", SALT) + b"?" * 30 + frame(b"b", SALT)


def test_a_damaged_segment_is_kept_aside_though_the_next_run_reads_its_end(tmp_path):
    write(tmp_path, 1, b"a", tail=b"?" * 30)
    write(tmp_path, 1, b"b", b"c")
    log = backlog(tmp_path, live=False)
    assert [log.next(), log.next()] == [b"a", b"b"]
    log.commit()
    again = backlog(tmp_path, live=False)
    take(again)
    again.commit()
    assert len(list((tmp_path / "aside").iterdir())) == 1


@pytest.mark.parametrize("live", [True, False])
def test_damage_at_the_end_of_a_segment_that_its_writer_closed_is_kept(tmp_path, live):
    stats = LogStats()
    write(tmp_path, 1, b"a", tail=b"?" * 30)
    write(tmp_path, 2, b"c")
    log = backlog(tmp_path, live=live, stats=stats)
    assert take(log) == [b"a", b"c"]
    log.commit()
    assert (stats.torn_bytes, stats.damaged_bytes) == (0, 30)
    (aside,) = (tmp_path / "aside").iterdir()
    assert aside.read_bytes() == frame(b"a", SALT) + b"?" * 30


@pytest.fixture
def bad_block(monkeypatch):
    """The disk cannot read the second block of any file."""
    real = os.pread

    def pread(fd: int, length: int, offset: int) -> bytes:
        if offset < 8192 and offset + length > 4096:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(fd, length, offset)

    monkeypatch.setattr(os, "pread", pread)


@pytest.mark.parametrize("live", [True, False])
def test_blocks_that_the_disk_cannot_read_are_read_around(tmp_path, bad_block, live):
    stats = LogStats()
    write(tmp_path, 1, b"a" * 4000, b"b" * 100, b"c" * 4100, b"d" * 10)
    write(tmp_path, 2, b"e")
    log = backlog(tmp_path, live=live, stats=stats)
    assert take(log) == [b"a" * 4000, b"d" * 10, b"e"]
    log.commit()
    assert stats.damaged_bytes == 100 + 4100 + 2 * 12
    (aside,) = (tmp_path / "aside").iterdir()
    assert aside.stat().st_size == 4000 + 100 + 4100 + 10 + 4 * 12
    assert [name.number for name in segments(tmp_path)] == ([2] if live else [])


def test_blocks_that_the_disk_cannot_read_are_damage_not_a_torn_end(tmp_path, bad_block):
    stats = LogStats()
    write(tmp_path, 1, b"a" * 4000, b"b" * 500)
    log = backlog(tmp_path, live=False, stats=stats)
    assert take(log) == [b"a" * 4000]
    log.commit()
    assert (stats.torn_bytes, stats.damaged_bytes) == (0, 512)
    assert len(list((tmp_path / "aside").iterdir())) == 1


def test_a_segment_that_was_cut_back_behind_us_is_over(tmp_path):
    write(tmp_path, 1, b"a", b"never durable")
    log = backlog(tmp_path, live=True)
    assert take(log) == [b"a", b"never durable"]
    name = tmp_path / str(SegmentName(1, SALT))
    name.write_bytes(frame(b"a", SALT))
    write(tmp_path, 2, b"b")
    assert take(log) == [b"b"]


def test_a_segment_that_is_given_up_while_open_is_passed(tmp_path):
    write(tmp_path, 1, tail=bytes(1000))
    log = backlog(tmp_path, live=True)
    assert take(log) == []
    (tmp_path / str(SegmentName(1, SALT))).unlink()
    write(tmp_path, 2, b"a")
    assert take(log) == [b"a"]


def test_segments_of_one_number_are_read_both(tmp_path):
    """Segments of several folders may be put together in one by hand."""
    write(tmp_path, 1, b"a", b"b", salt=b"zzzz")
    write(tmp_path, 1, b"c", salt=b"aaaa")
    write(tmp_path, 2, b"d")
    log = backlog(tmp_path, live=False)
    assert [log.next(), log.next()] == [b"c", b"a"], "by number, then by name"
    log.commit()
    assert [name.salt for name in segments(tmp_path)] == [b"zzzz", SALT]
    log = backlog(tmp_path, live=False)
    assert take(log) == [b"b", b"d"], "the position says of which segment it is"
    log.commit()
    assert log.is_empty()


def test_only_segments_read_to_their_end_and_committed_are_removed(tmp_path):
    write(tmp_path, 5, b"a")
    write(tmp_path, 6, b"b")
    log = backlog(tmp_path, live=False)
    assert log.next() == b"a"
    log.commit()
    assert not log.is_empty()
    assert [name.number for name in segments(tmp_path)] == [5, 6]
    assert take(log) == [b"b"]
    assert [name.number for name in segments(tmp_path)] == [5, 6]
    log.commit()
    assert log.is_empty()


def test_a_segment_that_is_added_late_is_read_whatever_its_number(tmp_path):
    write(tmp_path, 5, b"a")
    log = backlog(tmp_path, live=False)
    assert take(log) == [b"a"]
    write(tmp_path, 3, b"late")
    log.commit()
    assert not log.is_empty()
    assert take(backlog(tmp_path, live=False)) == [b"late"]
    assert take(log) == [b"late"]
    log.commit()
    assert log.is_empty()


def test_a_segment_that_cannot_be_removed_is_not_given_again(tmp_path, caplog):
    write(tmp_path, 1, b"a", tail=b"?" * 30)
    write(tmp_path, 2, b"b")
    (tmp_path / "aside").write_text("no folder")
    log = backlog(tmp_path, live=False)
    assert take(log) == [b"a", b"b"]
    for _ in range(2):
        log.commit()
        log.rewind()
        assert take(log) == []
    assert [name.number for name in segments(tmp_path)] == [1]
    assert sum("removed" in line for line in caplog.messages) == 1
    (tmp_path / "aside").unlink()
    log.commit()
    assert log.is_empty()


def test_a_position_that_cannot_be_kept_keeps_nothing_on_the_disk(tmp_path, caplog):
    (tmp_path / "position.json").mkdir()  # as good as a full disk
    for number in (1, 2, 3):
        write(tmp_path, number, b"%d" % number)
    log = backlog(tmp_path, live=True)
    given = []
    for _ in range(3):
        given.append(log.next())
        log.commit()
        log.rewind()
    assert given == [b"1", b"2", b"3"]
    assert [name.number for name in segments(tmp_path)] == [3]
    assert sum("position" in line for line in caplog.messages) == 1


def test_a_position_replaces_a_longer_one(tmp_path):
    for position in (Position(2**40, 2**45, "ffffffff"), Position(1, 2), Position(10, 0)):
        save_position(tmp_path, position)
        assert load_position(tmp_path) == position


def test_a_position_of_before_salts_were_kept_begins_its_segment_again(tmp_path):
    (tmp_path / "position.json").write_bytes(b'{"number": 2, "offset": 13}'.ljust(128))
    assert load_position(tmp_path) == Position(2, 13)
    write(tmp_path, 2, b"a", b"b")
    assert take(backlog(tmp_path, live=False)) == [b"a", b"b"]


@pytest.mark.parametrize(
    "damage", [b"", b'{"a": 1}', b"\0" * 128, b'{"number": 1, "off', b"[1, 2]"]
)
def test_a_position_that_cannot_be_read_is_the_beginning(tmp_path, damage):
    save_position(tmp_path, Position(3, 4))
    (tmp_path / "position.json").write_bytes(damage)
    assert load_position(tmp_path) == Position()


def test_a_folder_that_is_kept_stays_as_it_is(tmp_path):
    whole = frame(b"spoilt", SALT)
    write(tmp_path, 1, b"a", b"b")
    write(tmp_path, 2, b"c", tail=whole[:-1] + b"?" + frame(b"d", SALT))
    write(tmp_path, 3, b"e", tail=whole[:5])
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for _ in range(2):
        stats = LogStats()
        log = Backlog(tmp_path, tmp_path / "aside", stats, live=False, keep=True)
        assert log.next() == b"a"
        log.commit()
        assert take(log) == [b"b", b"c", b"d", b"e"]
        log.rewind()
        assert take(log) == [b"b", b"c", b"d", b"e"]
        log.commit()
        assert take(log) == []
        assert stats.damaged_bytes >= len(whole)
        assert stats.torn_bytes >= 5
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_damaged_segment_is_moved_to_another_disk(tmp_path, monkeypatch):
    """The disk of a machine that is gone is not the one on which dead letters are kept."""
    whole = frame(b"spoilt", SALT)
    write(tmp_path, 1, b"a", tail=whole[:-1] + b"?" + frame(b"d", SALT))
    name = str(SegmentName(1, SALT))
    content = (tmp_path / name).read_bytes()
    replace = os.replace

    def across(source, target):
        if str(source).endswith(".wal"):
            raise OSError(errno.EXDEV, "across disks")
        replace(source, target)

    monkeypatch.setattr(os, "replace", across)
    log = backlog(tmp_path, live=False)
    assert take(log) == [b"a", b"d"]
    log.commit()
    [moved] = (tmp_path / "aside").iterdir()
    assert moved.read_bytes() == content
    assert log.is_empty()
