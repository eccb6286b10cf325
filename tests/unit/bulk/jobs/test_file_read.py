"""What became of a file is told to a process that has no Arrow."""

from __future__ import annotations

import pickle
import subprocess
import sys

from bulk.jobs.file_read import FileRead

_SCRIPT = """
import pickle, sys
found = pickle.load(sys.stdin.buffer)
print(found.rows_total, found.rows_failed, *found.parts, "pyarrow" in sys.modules)
"""


def test_it_reaches_a_process_without_arrow() -> None:
    body = pickle.dumps(FileRead(6, 1, (3, 2)))
    told = subprocess.run([sys.executable, "-c", _SCRIPT], input=body, capture_output=True)
    assert told.stdout.decode().split() == ["6", "1", "3", "2", "False"]
