"""An actor's process is a worker from its first moment on."""

from __future__ import annotations

import subprocess
import sys

from bulk.engine.workers.worker import NICE

_SCRIPT = """
import operator, os
from deployments.jobs.worker import JobWorker
worker = JobWorker()
print(worker.run(os.nice, (0,)), worker.run(operator.sub, (7, 3)))
"""


def test_units_run_at_the_lowest_priority_and_return_what_they_find() -> None:
    told = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True
    )
    within, found = map(int, told.stdout.split())
    assert (within, found) == (NICE, 4)
