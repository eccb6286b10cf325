"""A job as it crosses processes."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import pytest

from bulk.jobs.options import JobOptions
from bulk.jobs.state import JobState
from tests.contracts.jobs import MATCH, new_job


def test_a_job_is_the_same_after_a_journey_to_a_worker() -> None:
    job = new_job(options=JobOptions(convert={"montant": "minor-to-major"}), summary={"rows": 1})
    found = pickle.loads(pickle.dumps(job))
    assert found == job
    assert (found.match, found.options.convert) == (MATCH, {"montant": "minor-to-major"})


def test_a_job_changes_in_the_table_only() -> None:
    job = new_job()
    with pytest.raises(FrozenInstanceError):
        job.state = JobState.DONE  # type: ignore[misc]


def test_jobs_share_no_document() -> None:
    one, other = new_job(), new_job()
    one.summary["rows"] = one.problem["code"] = 1
    assert (other.summary, other.problem) == ({}, {})
