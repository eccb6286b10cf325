"""A process that does units of work is quiet and private."""

from __future__ import annotations

import os
import subprocess
import sys

from bulk.engine.workers.worker import NICE, ONE_THREAD

_SCRIPT = """
import os
os.nice(5)
from bulk.engine.workers.worker import become_worker
become_worker()
become_worker()
mask = os.umask(0)
print(os.nice(0), mask, os.environ["OMP_NUM_THREADS"])
"""


def test_it_takes_the_lowest_priority_one_thread_and_a_private_umask() -> None:
    without = {name: value for name, value in os.environ.items() if name not in ONE_THREAD}
    said = subprocess.run(
        [sys.executable, "-c", _SCRIPT], env=without, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == [str(NICE), str(0o077), "1"]
