"""What an executor says of a worker that is gone."""

from __future__ import annotations

import pickle

from bulk.engine.workers.executor import WorkerLost
from fraud.errors import InvalidInput, QuorumError


def test_a_lost_worker_is_told_across_processes_and_is_no_fault_of_the_file() -> None:
    found = pickle.loads(pickle.dumps(WorkerLost("its process was killed")))
    assert (type(found), str(found)) == (WorkerLost, "its process was killed")
    assert isinstance(found, QuorumError)
    assert not isinstance(found, InvalidInput)  # or it would not be tried again
