from __future__ import annotations

import os
from threading import get_ident

from decision_log.disk import segment
from decision_log.disk.backlog import Backlog
from decision_log.disk.dead_letters import DeadLetter, DeadLetters
from decision_log.disk.segment import Segment
from telemetry.metrics import LogStats


def shipped(folder) -> list[bytes]:
    """Return the payloads in a folder, and remove it like an orphan's."""
    log = Backlog(folder, folder, LogStats(), live=False)
    found = []
    while (payload := log.next()) is not None:
        found.append(payload)
    log.commit()
    log.close()
    return found


def move_away(dead: DeadLetters, to) -> None:
    to.mkdir()
    for path in dead.folder.iterdir():
        path.rename(to / path.name)


async def test_a_file_that_is_moved_away_takes_nothing_that_comes_later(tmp_path):
    stats = LogStats()
    dead = DeadLetters(tmp_path, stats)
    await dead.put([DeadLetter(b"first", "bad")])
    await dead.put([DeadLetter(b"second", "bad")])
    assert len(os.listdir(dead.folder)) == 1
    move_away(dead, tmp_path / "again")
    assert shipped(tmp_path / "again") == [b"first", b"second"]
    await dead.put([DeadLetter(b"third", "bad")])
    dead.close()
    assert shipped(dead.folder) == [b"third"]
    assert stats.dead_letters == 3


async def test_a_file_that_is_moved_away_in_the_middle_of_a_write(tmp_path, monkeypatch):
    dead = DeadLetters(tmp_path, LogStats())
    await dead.put([DeadLetter(b"first", "bad")])
    append = Segment.append

    def moved_before(to: Segment, data: bytes) -> None:
        monkeypatch.setattr(Segment, "append", append)
        move_away(dead, tmp_path / "again")
        to.path.parent.mkdir(exist_ok=True)
        assert shipped(tmp_path / "again") == [b"first"]
        append(to, data)

    monkeypatch.setattr(Segment, "append", moved_before)
    await dead.put([DeadLetter(b"second", "bad")])
    dead.close()
    assert shipped(dead.folder) == [b"second"]


async def test_many_are_written_with_one_sync_and_not_on_the_loop(tmp_path, monkeypatch, caplog):
    threads = []
    sync = segment.sync
    monkeypatch.setattr(segment, "sync", lambda fd: (threads.append(get_ident()), sync(fd)))
    dead = DeadLetters(tmp_path, LogStats())
    await dead.put([])
    assert not dead.folder.exists()
    letters = [DeadLetter(b"%d" % i, "odd" if i % 2 else "bad") for i in range(101)]
    await dead.put(letters)
    dead.close()
    assert len(threads) == 1
    assert get_ident() not in threads
    assert shipped(dead.folder) == [letter.payload for letter in letters]
    assert len(caplog.messages) == 2, "one line for each cause"


async def test_what_an_earlier_file_holds_is_not_written_once_more(tmp_path):
    """The same log may be shipped again."""
    for kept in ((b"a", b"b", b"a"), (b"b", b"c"), (b"a", b"b")):
        stats = LogStats()
        dead = DeadLetters(tmp_path, stats, once=True)
        await dead.put([DeadLetter(payload, "bad") for payload in kept])
        dead.close()
        assert stats.dead_letters == len(kept)
    assert len(list(dead.folder.iterdir())) == 2
    assert shipped(dead.folder) == [b"a", b"b", b"c"]
