"""Processes are stopped, and continue even if the benchmark is killed."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from loadtests.bench.pausing import Pause

_GIVE_UP_S = 30.0


@pytest.fixture
def sleeper() -> Iterator[psutil.Process]:
    process = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    yield psutil.Process(process.pid)
    process.kill()
    process.wait()


def await_status(process: psutil.Process, stopped: bool) -> None:
    deadline = time.monotonic() + _GIVE_UP_S
    while (process.status() == psutil.STATUS_STOPPED) != stopped:
        assert time.monotonic() < deadline, f"it is {process.status()}"
        time.sleep(0.01)


def test_they_stop_and_go_on(sleeper: psutil.Process) -> None:
    pause = Pause([sleeper])
    await_status(sleeper, stopped=True)
    pause.end()
    await_status(sleeper, stopped=False)


def test_they_go_on_when_the_benchmark_is_killed(sleeper: psutil.Process) -> None:
    code = (
        "import os, psutil, sys; from loadtests.bench.pausing import Pause;"
        "pause = Pause([psutil.Process(int(sys.argv[1]))]); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(sleeper.pid)], check=False)
    assert done.returncode == -9
    await_status(sleeper, stopped=False)
