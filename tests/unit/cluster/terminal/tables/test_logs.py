from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console

from cluster.terminal.tables.logs import shipped_table, writers_table


def printed(shown: Any) -> list[str]:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(shown)
    return [" ".join(line.split()) for line in capture.get().splitlines()]


def writer(name: str, **given: Any) -> dict[str, Any]:
    nothing = {"set_aside": 0, "damaged_bytes": 0, "torn_bytes": 0, "repeated": 0, "stays": ""}
    return {"writer": name, "folder": Path("/disk/wal", name), "kept": False, **nothing, **given}


def test_writers_are_told_with_what_waits() -> None:
    living = {"writer": "a", "alive": True, "bytes": 3 * 1024**2, "entries": 7, "unreadable": 0}
    dead = {"writer": "b", "alive": False, "bytes": 0, "entries": 2, "unreadable": 1}
    report = {
        "writers": [
            living | {"rows": 1234, "oldest_age_s": 0.25},
            dead | {"rows": 0, "oldest_age_s": None},
        ],
        "dead_letters": (Path("/home/wal/dead-letters/x"),),
    }
    _, *lines = printed(writers_table(report))
    assert lines == [
        "a alive 3.0 7 1,234 0.2 s ago",
        "b dead 0.0 2, 1 unreadable 0 -",
        "set aside earlier: 1 file in /home/wal/dead-letters, see docs/operating.md",
    ]
    assert printed(writers_table({"writers": [], "dead_letters": ()})) == [
        "no writer has a folder here"
    ]


def test_what_needs_a_person_is_told_with_its_place() -> None:
    spoilt = {"damaged_bytes": 5000, "torn_bytes": 9}
    report = {
        "writers": [
            writer("a", entries=3, rows=1200, repeated=7, set_aside=2),
            writer("b", entries=1, rows=1, kept=True, stays="as asked", **spoilt),
            writer("c", entries=1, rows=1, **spoilt),
        ],
        "set_aside_in": Path("/here/wal/dead-letters"),
        "dead_letters": (),
    }
    _, *lines = printed(shipped_table(report))
    torn = "ends in 9 bytes of a write that was never answered"
    assert lines == [
        "a 3 1,200 7 removed",
        "b 1 1 0 stays: as asked",
        "c 1 1 0 removed",
        "a: 2 set aside in /here/wal/dead-letters",
        "b: 5,000 bytes cannot be read; the file is in /disk/wal/b",
        f"b: {torn}",
        "c: 5,000 bytes cannot be read; the file is in /here/wal/dead-letters",
        f"c: {torn}",
    ]
    nothing = {"writers": [], "set_aside_in": None, "dead_letters": ()}
    assert printed(shipped_table(nothing)) == ["nothing waits here: no writer has left a folder"]
