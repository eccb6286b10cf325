"""Steps of jobs for tests of the engine: a file is lines of text, its scores their lengths.

Each call leaves a line in a log. A file `break-<step>` in the job's folder breaks that step: it
says how, and how often.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bulk.engine.steps import ReadOrder
from bulk.jobs.file_read import FileRead
from bulk.jobs.job import Job
from bulk.jobs.paths import JobPaths
from bulk.scoring.plan import ScoringPlan
from fraud.errors import InvalidInput, Unavailable
from references.matching.match import Match
from stores.whole_file import replace_file

_ERRORS = {
    "input": InvalidInput("told to break"),
    "outage": Unavailable("told to break"),
    "defect": ValueError("told to break"),
    "full": OSError(errno.ENOSPC, "Failed to write /secret"),
}

PLAN = ScoringPlan(models=(), columns=(), tenant="mine")


@dataclass(frozen=True, slots=True)
class LineSteps:
    """Steps without models.

    Attributes:
        rows_per_part: of the parts that `read` cuts.
        hold: a file; while it is there, no part from `held_from` on is scored, once those before
            are. (Not earlier: parts are begun in about their order, and one that is held would keep
            the only worker from those before.)
    """

    rows_per_part: int = 2
    hold: str = ""
    held_from: int = 0

    def read(self, order: ReadOrder) -> FileRead:
        """Cut the lines into parts; a line "bad" cannot be read."""
        log(order.paths, "read")
        lines = order.paths.upload.read_text().splitlines()
        good = [line for line in lines if line != "bad"]
        parts = [
            good[at : at + self.rows_per_part] for at in range(0, len(good), self.rows_per_part)
        ]
        for number, part in enumerate(parts):
            replace_file(order.paths.part(number), "\n".join(part).encode())
        replace_file(order.paths.profile, b"profile")
        return FileRead(len(lines), len(lines) - len(good), tuple(map(len, parts)))

    def check(self, paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
        """A file with a line "alien" fits nothing."""
        log(paths, "check")
        alien = b"alien" in paths.upload.read_bytes()
        return replace(match, chosen=()) if alien else match

    def replay(self, paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
        """A file with a line "timeless" fits nothing."""
        log(paths, "replay")
        timeless = b"timeless" in paths.upload.read_bytes()
        return replace(match, chosen=()) if timeless else match

    def score(self, paths: JobPaths, number: int, plan: ScoringPlan) -> None:
        """Write the lengths of the lines of a part."""
        log(paths, f"score {number}")
        while self._holds(paths, number):
            time.sleep(0.01)
        lengths = [len(line) for line in paths.part(number).read_text().splitlines()]
        replace_file(paths.scores(number), " ".join(map(str, lengths)).encode())

    def _holds(self, paths: JobPaths, number: int) -> bool:
        if not self.hold or number < self.held_from or not Path(self.hold).exists():
            return False
        return all(paths.scores(before).exists() for before in range(self.held_from))

    def finish(self, paths: JobPaths, plan: ScoringPlan, job: Job) -> dict[str, Any]:
        """Write a line for each row: the row and its score."""
        log(paths, "finish")
        rows = []
        for part in sorted((paths.folder / "parts").iterdir()):
            scores = paths.scores(int(part.stem)).read_text().split()
            rows += zip(part.read_text().splitlines(), scores, strict=True)
        replace_file(paths.result, "\n".join(map(" ".join, rows)).encode())
        return {"rows": {"total": len(rows)}}

    def told_rows(self, paths: JobPaths) -> int | None:
        """Nothing."""
        return None


def log(paths: JobPaths, step: str) -> None:
    """Note a call; break if the test wants it."""
    with (paths.folder.parent / f"{paths.folder.name}.log").open("a") as file:
        file.write(f"{step}\n")
    order = paths.folder / f"break-{step.replace(' ', '-')}"
    if not order.exists():
        return
    how, _, times = order.read_text().partition(" ")
    if int(times) <= 1:
        order.unlink()
    else:
        order.write_text(f"{how} {int(times) - 1}")
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise _ERRORS[how]


def broken(paths: JobPaths, step: str, how: str, times: int = 1) -> None:
    """Have a step break the next so many times: `kill`, or by one of `_ERRORS`."""
    (paths.folder / f"break-{step.replace(' ', '-')}").write_text(f"{how} {times}")


def calls(paths: JobPaths) -> list[str]:
    """Return the steps so far."""
    return (paths.folder.parent / f"{paths.folder.name}.log").read_text().splitlines()


async def plan_nothing(job: Job, paths: JobPaths) -> ScoringPlan:
    """A planner."""
    return PLAN
