"""The progress of a job in texts."""

from __future__ import annotations

import pytest

from bulk.jobs.state import ENDED, JobState
from serve_app.console.views.progress_view import progress_of
from tests.contracts.console_jobs import job


def test_scoring_has_a_share_and_a_time_left() -> None:
    running = job(
        state=JobState.SCORING, rows_total=1_000, rows_done=390, rows_failed=10, rows_per_s=60.0
    )
    told = progress_of(running)
    assert (told.share, told.left, told.rate) == (0.4, "10 s", "60")
    assert (told.done, told.total, told.failed) == ("390", "1,000", "10")
    assert told.to_document()["state"] == "scoring"


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.READING])
def test_before_scoring_the_share_is_unknown(state: JobState) -> None:
    told = progress_of(job(state=state, rows_total=100, rows_per_s=5.0))
    assert (told.share, told.left) == (None, "–")


def test_a_share_is_never_above_one() -> None:
    assert progress_of(job(state=JobState.SCORING, rows_total=10, rows_done=12)).share == 1.0


def test_an_empty_file_has_no_share() -> None:
    assert progress_of(job(state=JobState.SCORING, rows_total=0)).share is None


@pytest.mark.parametrize("state", list(JobState))
def test_an_end_is_told(state: JobState) -> None:
    assert progress_of(job(state=state)).ended is (state in ENDED)


def test_a_job_that_is_to_stop_says_so() -> None:
    assert progress_of(job(state=JobState.SCORING, cancel=True)).sentence == "It is being stopped."
