from __future__ import annotations

import os

from deployments.audit.backlog import Backlog
from deployments.audit.dead_letters import DeadLetters
from deployments.audit.segment import Segment
from deployments.audit.stats import LogStats


def shipped(folder) -> list[bytes]:
    """What is read in a folder, which is removed then as an orphan's is."""
    log = Backlog(folder, folder, LogStats(), live=False)
    found = []
    while (payload := log.next()) is not None:
        found.append(payload)
    log.commit()
    log.retire_all()
    log.close()
    return found


def move_away(dead: DeadLetters, to) -> None:
    to.mkdir()
    for path in dead.folder.iterdir():
        path.rename(to / path.name)


def test_a_file_that_is_moved_away_takes_nothing_that_comes_later(tmp_path):
    stats = LogStats()
    dead = DeadLetters(tmp_path, stats)
    dead.put(b"first", "bad")
    dead.put(b"second", "bad")
    assert len(os.listdir(dead.folder)) == 1
    move_away(dead, tmp_path / "again")
    assert shipped(tmp_path / "again") == [b"first", b"second"]
    dead.put(b"third", "bad")
    dead.close()
    assert shipped(dead.folder) == [b"third"]
    assert stats.dead_letters == 3


def test_a_file_that_is_moved_away_in_the_middle_of_a_write(tmp_path, monkeypatch):
    dead = DeadLetters(tmp_path, LogStats())
    dead.put(b"first", "bad")
    append = Segment.append

    def moved_before(segment: Segment, data: bytes) -> None:
        monkeypatch.setattr(Segment, "append", append)
        move_away(dead, tmp_path / "again")
        segment.path.parent.mkdir(exist_ok=True)
        assert shipped(tmp_path / "again") == [b"first"]
        append(segment, data)

    monkeypatch.setattr(Segment, "append", moved_before)
    dead.put(b"second", "bad")
    dead.close()
    assert shipped(dead.folder) == [b"second"]
