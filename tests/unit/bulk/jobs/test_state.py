"""States of jobs, in the code and in the statements that ask for them."""

from __future__ import annotations

import re

import pytest

from bulk.jobs.state import ACTIVE, ENDED, JobState
from stores.statements import statement
from tests.contracts.root import ROOT

OPEN = {JobState.WAITING, *ACTIVE}
_LISTED = re.compile(r"state IN \(([^)]*)\)")


def listed(text: str) -> list[set[str]]:
    """Each list of states in a statement."""
    return [set(re.findall(r"'(\w+)'", found)) for found in _LISTED.findall(text)]


def test_a_job_waits_or_is_active_or_has_ended() -> None:
    assert {JobState.WAITING} | ACTIVE | ENDED == set(JobState)
    assert not ACTIVE & ENDED
    assert JobState.WAITING not in ACTIVE | ENDED


@pytest.mark.parametrize(
    ("name", "states"),
    [
        ("lease/claim_job", ACTIVE),
        ("cancel_job", OPEN),
        ("count_open", OPEN),
        ("insert_job", OPEN),
        ("forget_job", {JobState.WAITING, *ENDED}),
    ],
)
def test_statements_mean_the_same_states(name: str, states: set[JobState]) -> None:
    assert listed(statement(f"bulk/jobs/sql/{name}.sql")) == [set(map(str, states))]


def test_the_table_holds_every_state() -> None:
    migration = (ROOT / "cluster/schema/migrations/0016_jobs.pre.sql").read_text()
    assert listed(migration)[0] == set(map(str, JobState))
