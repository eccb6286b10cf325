"""A cancelled step says so across processes."""

from __future__ import annotations

import pickle

from bulk.jobs.cancelled import Cancelled
from fraud.errors import QuorumError


def test_it_crosses_processes():
    found = pickle.loads(pickle.dumps(Cancelled("the job was cancelled")))
    assert isinstance(found, Cancelled)
    assert isinstance(found, QuorumError)
    assert found.args == ("the job was cancelled",)
