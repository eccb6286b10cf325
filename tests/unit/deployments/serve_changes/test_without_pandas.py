"""Serve starts without pandas, which can be imported afterwards."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

_SERVE = """
import sys
{first}
import ray.serve
from ray.serve._private.utils import serve_encoders
import ray.serve._private.replica, ray.serve._private.controller
print("pandas" in sys.modules, "pyarrow" in sys.modules)
import pandas
print(len(pandas.DataFrame({{"a": [1, 2]}})))
"""


@pytest.mark.parametrize(
    ("first", "found"),
    [
        ("import deployments.serve_changes.without_pandas", ["False False", "2"]),
        # What was imported before stays, and Serve uses it.
        ("import pandas, deployments.serve_changes.without_pandas", ["True True", "2"]),
    ],
)
def test_serve_is_imported_without_pandas(first, found):
    program = _SERVE.format(first=first)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split("\n")[:2] == found, done.stderr
