"""Secrets as the user makes them, and processes that end with the test."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from cluster.embedded import daemon
from cluster.embedded.account import Account
from tests.contracts.compose import make_secrets
from tests.contracts.run_folder import run_folder
from tests.contracts.waiting import PATIENCE_S

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Not a folder of pytest: PostgreSQL, which does not run as root, must enter it."""
    with run_folder("compose") as root:
        yield root


@pytest.fixture(scope="module")
def secrets(folder: Path) -> Path:
    done = make_secrets(folder / "secrets")
    assert done.returncode == 0, done.stderr
    return folder / "secrets"


@pytest.fixture(scope="module")
def start(folder: Path) -> Iterator[Start]:
    """Start a service and wait until it is ready."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(
        command: Sequence[str | Path],
        ready: Callable[[], bool],
        *,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
    ) -> subprocess.Popen[bytes]:
        log = folder / f"{len(running)}.log"
        process = daemon.spawn(
            command,
            cwd=folder,
            log=log,
            environment=environment,
            account=account,
            dies_with_us=signal.SIGKILL,
        )
        running.append(process)
        until = time.monotonic() + 2 * PATIENCE_S
        while not ready():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        return process

    yield begin
    for process in reversed(running):
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
