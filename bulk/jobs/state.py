"""The states of a job."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class JobState(StrEnum):
    """What a job is doing.

    waiting -> queued -> reading -> scoring -> finishing -> done
    """

    WAITING = "waiting"  # matched; the caller has to confirm
    QUEUED = "queued"
    READING = "reading"  # the file becomes parts
    SCORING = "scoring"
    FINISHING = "finishing"  # ensemble, levels, result, summary
    DONE = "done"
    REFUSED = "refused"  # read as a whole, the file fits no model
    FAILED = "failed"  # retries are used up
    CANCELLED = "cancelled"


ACTIVE: Final = frozenset((JobState.QUEUED, JobState.READING, JobState.SCORING, JobState.FINISHING))
"""A runner works on these, or will."""

ENDED: Final = frozenset((JobState.DONE, JobState.REFUSED, JobState.FAILED, JobState.CANCELLED))
"""Nothing changes them any more; their files are removed when they expire."""
