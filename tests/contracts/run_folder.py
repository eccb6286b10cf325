"""Folders of test runs with short paths, and what killed runs left: files and processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil


@contextmanager
def run_folder(name: str) -> Iterator[Path]:
    """A folder `quorum-<name>-<process id>-...`, removed afterwards.

    Folders of that name whose process is gone are removed first, after the processes that still
    work there: a killed run takes no fixture down.
    """
    root, prefix = Path(tempfile.gettempdir()), f"quorum-{name}-"
    for left in root.glob(f"{prefix}*"):
        pid = left.name.removeprefix(prefix).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            end_those_of(left)
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def end_those_of(folder: Path) -> None:
    """Kill the processes that name a folder in their command or environment, or work in it."""
    found = []
    for process in psutil.process_iter():
        if process.pid == os.getpid():
            continue
        with contextlib.suppress(psutil.Error, OSError):
            traces = [*process.cmdline(), *process.environ().values(), process.cwd()]
            if any(str(folder) in trace for trace in traces):
                found.append(process)
    for process in found:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(found, timeout=10)
