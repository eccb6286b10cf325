"""The engine's process imports nothing large."""

from __future__ import annotations

import subprocess
import sys

_LARGE = ("numpy", "pandas", "pyarrow", "scipy", "sklearn", "onnxruntime", "ray")
_SCRIPT = f"""
import sys
import bulk.engine.file_steps, bulk.engine.runner, bulk.engine.submission, bulk.engine.worker
import bulk.jobs.store
print(*[name for name in {_LARGE!r} if name in sys.modules])
"""


def test_what_runs_jobs_leaves_arrow_and_models_to_its_workers() -> None:
    found = subprocess.run(
        [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == []
