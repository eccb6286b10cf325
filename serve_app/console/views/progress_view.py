"""The progress of a job, for its page and for the script that keeps the page current."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bulk.jobs.job import Job
from bulk.jobs.state import ENDED, JobState
from serve_app.console.views.words import count, duration, state_sentence, state_word
from serve_app.gateway.jobs.jobs import progress


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is, in texts that are ready to show.

    Attributes:
        share: of its rows that are done, in [0, 1]; None if that is unknown.
        ended: nothing changes any more.
    """

    state: str
    word: str
    sentence: str
    ended: bool
    share: float | None
    done: str
    total: str
    failed: str
    rate: str
    left: str

    def to_document(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def progress_of(job: Job) -> Progress:
    """Return the progress of a job."""
    share, left = progress(job) if job.rows_total else (None, None)
    # The rows are counted while they are scored. What follows is of another speed.
    if job.state not in (JobState.SCORING, JobState.FINISHING):
        share = None
    if job.state is not JobState.SCORING:
        left = None
    return Progress(
        state=str(job.state),
        word=state_word(job.state),
        sentence="It is being stopped." if job.cancel else state_sentence(job.state),
        ended=job.state in ENDED,
        share=share,
        done=count(job.rows_done),
        total=count(job.rows_total),
        failed=count(job.rows_failed),
        rate=count(job.rows_per_s),
        left=duration(left),
    )
