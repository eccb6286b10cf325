"""Rows told from one process to another."""

from __future__ import annotations

from pathlib import Path

from bulk.engine.told_rows import PERIOD_S, RowTeller, told_rows
from bulk.jobs.paths import JobPaths


def test_rows_are_told_once_a_period_and_end_with_the_step(tmp_path: Path) -> None:
    paths, now = JobPaths(tmp_path), [0.0]
    teller = RowTeller(paths, lambda: now[0])
    assert told_rows(paths) is None
    heard = []
    for rows in range(1, 11):
        teller.tell(rows)
        heard.append(told_rows(paths))
        now[0] += PERIOD_S / 4
    assert heard == [1, 1, 1, 1, 5, 5, 5, 5, 9, 9]
    teller.end()
    assert told_rows(paths) is None
    teller.end()
    assert list(tmp_path.iterdir()) == []
