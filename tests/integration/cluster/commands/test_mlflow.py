"""`quorum mlflow`: the real page, on the loopback address only."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from cluster.embedded import daemon
from cluster.embedded.endpoint import free_port
from tests.contracts.root import ROOT

WAIT_S = 300


def test_the_page_opens_on_loopback_and_ends_with_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.delenv("QUORUM_MLFLOW_TRACKING_URI", raising=False)
    port = free_port()
    process = daemon.spawn(
        [sys.executable, "-m", "cluster.cli", "mlflow", "--port", str(port)],
        cwd=ROOT,
        log=tmp_path / "log",
        dies_with_us=signal.SIGTERM,
    )
    try:
        deadline = time.monotonic() + WAIT_S
        while not _answers(port):
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.2)
        assert _listening(psutil.Process(process.pid)) == {"127.0.0.1"}
    finally:
        process.terminate()
        process.wait(WAIT_S)
    assert not _answers(port)


def _listening(process: psutil.Process) -> set[str]:
    """The addresses on which a process and its children listen."""
    addresses: set[str] = set()
    for member in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):  # helpers of MLflow come and go
            listening = (
                c for c in member.net_connections("inet") if c.status == psutil.CONN_LISTEN
            )
            addresses.update(c.laddr.ip for c in listening)
    return addresses


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.TransportError:
        return False
