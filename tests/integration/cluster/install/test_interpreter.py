"""Which Python `make venv` uses. The candidates are shell scripts that pass the probe on to a real
Python, or print a time that no real one has."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.root import ROOT

SCRIPT = ROOT / "cluster" / "install" / "interpreter.sh"


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """The only folder in the PATH besides the shell's own."""
    return tmp_path / "bin"


def python(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    return path


def chosen(folder: Path, *named: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SCRIPT), *named],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_probe_runs_on_this_python(found: Path) -> None:
    path = python(found, "python3", f'exec {sys.executable} "$@"')
    assert chosen(found, str(path)).stdout.strip() == str(path)


def test_a_much_faster_one_is_chosen_but_not_a_slightly_faster_one(found: Path) -> None:
    first = python(found, "python3", "echo 100")
    python(found, "python3.13", "echo 90")
    assert chosen(found).stdout.strip() == str(first)
    fast = python(found, "python3.12", "echo 1")
    assert chosen(found).stdout.strip() == str(fast)


def test_an_unusable_one_is_skipped(found: Path) -> None:
    python(found, "python3", "exit 1")
    other = python(found, "python3.12", "echo 1")
    assert chosen(found).stdout.strip() == str(other)


def test_naming_an_unusable_one_is_an_error_with_a_hint(found: Path) -> None:
    bad = python(found, "old", "exit 1")
    said = chosen(found, str(bad))
    assert said.returncode == 1
    assert said.stdout == ""
    assert str(bad) in said.stderr
    assert "PYTHON=" in said.stderr
