"""What units of work do: the calls from the engine into the rooms that know files and models.

Everything here is called in a process of an executor, except for a `Planner`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bulk.jobs.file_read import FileRead
from bulk.jobs.job import Job
from bulk.jobs.paths import JobPaths
from bulk.scoring.plan import ScoringPlan
from references.matching.match import Match

if TYPE_CHECKING:
    from bulk.files.upload import Upload


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """What is to be read.

    Attributes:
        paths: of the job; the upload is there.
        file_name: a hint about the format.
        dialect: what the caller knows about a CSV file.
        max_unpacked_bytes: most bytes that it may unpack to.
    """

    paths: JobPaths
    file_name: str
    dialect: dict[str, Any]
    max_unpacked_bytes: int

    def open(self) -> Upload:
        """Open the file.

        Raises:
            FileRefused: it cannot be read.
        """
        from bulk.files.opening import open_upload

        return open_upload(
            self.paths.upload,
            self.file_name,
            max_unpacked_bytes=self.max_unpacked_bytes,
            dialect=self.dialect,
        )


Planner = Callable[[Job, JobPaths], Awaitable[ScoringPlan]]
"""Returns what scores a job by its match; fetches the models. Raises NotFound if a reference is
gone."""


class Steps(Protocol):
    """The steps of a job. An instance is pickled with each call; each call may be repeated."""

    def read(self, order: ReadOrder) -> FileRead:
        """Cut the file into parts, and profile it. `told_rows` tells how far it is.

        Raises:
            FileRefused: it cannot be read.
        """
        ...

    def check(self, paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
        """Return the match with what the whole file says about it: it may be refused by now."""
        ...

    def replay(self, paths: JobPaths, plan: ScoringPlan, match: Match) -> Match:
        """Score all parts with the models of history. Returns what `check` does."""
        ...

    def score(self, paths: JobPaths, number: int, plan: ScoringPlan) -> None:
        """Score a part."""
        ...

    def finish(self, paths: JobPaths, plan: ScoringPlan, job: Job) -> dict[str, Any]:
        """Write the result. Returns the summary."""
        ...

    def told_rows(self, paths: JobPaths) -> int | None:
        """How many rows `read`, `replay` or `finish` has done, as far as it tells. Called by the
        engine; must not take long."""
        ...
