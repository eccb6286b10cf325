"""Files made to exhaust memory or time are refused before they do."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/clear_refs").exists(), reason="Linux tells peaks of memory"
    ),
]

SPLIT = """
import resource, sys
from pathlib import Path
from bulk.files.opening import open_upload
from bulk.files.refused import FileRefused
from bulk.files.split import split_upload
from bulk.jobs.paths import JobPaths

def peak_kib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
paths = JobPaths(Path(sys.argv[1]))
Path("/proc/self/clear_refs").write_text("5")  # the peak is what is used now
before = peak_kib()
try:
    upload = open_upload(paths.upload, "x", max_unpacked_bytes=1 << 34)
    split_upload(
        upload, paths, progress=lambda _: None, add=lambda _: None
    )
except FileRefused as refused:
    print(refused.code, peak_kib() - before)
"""
MOST_KIB = 60_000
"""Memory that the process may take more than at its start: less than the attacks need."""


def one_cell(path: Path, quote: bytes) -> None:
    """100 MB in one cell."""
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n" * 10_000 + b"1," + quote)
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(quote + b"\n1,2\n")


def packed(path: Path, line: bytes, count: int) -> None:
    """A gzip file of one line, again and again."""
    with gzip.open(path, "wb") as file:
        file.write(b"a,b\n")
        for _ in range(count):
            file.write(line * (1 << 20))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: one_cell(path, b""), "too-long"),
        (lambda path: one_cell(path, b'"'), "too-long"),
        (lambda path: packed(path, b"x", 100), "too-long"),
        (lambda path: packed(path, b"1,2345678901234567890\n", 5), "bomb"),
        (lambda path: packed(path, b"\n", 100), "bomb"),
    ],
    ids=["cell", "quoted cell", "packed cell", "packed rows", "packed blank lines"],
)
def test_attacks_on_memory(tmp_path: Path, make: Callable[[Path], None], code: str) -> None:
    make(tmp_path / "upload")
    command = [sys.executable, "-c", SPLIT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.stderr == ""
    found, grown_kib = done.stdout.split()
    assert found == code
    assert int(grown_kib) < MOST_KIB
