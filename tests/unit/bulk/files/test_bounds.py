"""Files made to exhaust memory are refused by a process that has little of it."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SPLIT = """
import resource, sys
from pathlib import Path
from bulk.files.opening import open_upload
from bulk.files.refused import FileRefused
from bulk.files.split import split_upload
from bulk.jobs.paths import JobPaths

folder, spare = Path(sys.argv[1]), int(sys.argv[2])
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + spare, used + spare))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
paths = JobPaths(folder)
try:
    upload = open_upload(paths.upload, "x", max_unpacked_bytes=1 << 34)
    split_upload(
        upload, paths, progress=lambda *_: None, cancelled=lambda: False, add=lambda _: None
    )
except FileRefused as refused:
    print(refused.code)
"""
SPARE = 60 << 20
"""Bytes that the process may take more than at its start: less than the attacks need."""


def one_cell(path: Path, quote: bytes) -> None:
    """100 MB in one cell."""
    with path.open("wb") as file:
        file.write(b"a,b\n1,2\n" * 10_000 + b"1," + quote)
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(quote + b"\n1,2\n")


def packed(path: Path, line: bytes, count: int) -> None:
    """A gzip file of one line, again and again."""
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"a,b\n")
        for _ in range(count):
            file.write(line * (1 << 20))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda path: one_cell(path, b""), "too-long"),
        (lambda path: one_cell(path, b'"'), "too-long"),
        (lambda path: packed(path, b"x", 200), "too-long"),
        (lambda path: packed(path, b"1,2345678901234567890\n", 20), "bomb"),
        (lambda path: packed(path, b"\n", 200), "bomb"),
    ],
    ids=["cell", "quoted cell", "packed cell", "packed rows", "packed blank lines"],
)
def test_attacks_on_memory(tmp_path: Path, make: Callable[[Path], None], code: str) -> None:
    make(tmp_path / "upload")
    command = [sys.executable, "-c", SPLIT, str(tmp_path), str(SPARE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.stdout.strip(), done.stderr[-500:]) == (code, "")
