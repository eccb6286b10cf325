"""kubectl and Helm, as `make manifests` installs them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MISSING = "is missing: `make manifests` installs it"


def tool(name: str) -> str:
    """Return the path of a tool; skips the test where it is missing."""
    path = shutil.which(str(Path(sys.prefix) / "deploy" / name)) or shutil.which(name)
    if path is None:
        pytest.skip(f"{name} {MISSING}")
    return path


def run(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a tool."""
    return subprocess.run(
        [tool(name), *arguments], capture_output=True, text=True, check=False, timeout=60
    )
