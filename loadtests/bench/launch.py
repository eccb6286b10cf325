"""Starts each app on demand, and ends it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from loadtests.bench.app import DOCS, NO_OP, QUORUM, TUNED, App
from loadtests.bench.cost import tree
from loadtests.bench.stores import stores_of
from loadtests.noop_app import ROUTE
from loadtests.payments import Payment, Playlist
from loadtests.processes import STORES, name_of, node_processes, processes, ray_environment
from loadtests.target import NoTarget, Target, find_target
from settings.settings import Settings

PLAYED = 800_000
"""Payments until new customers take the place of the known ones."""
_PATH = "/v1/decisions"
_ROOT = Path(__file__).resolve().parents[2]
_UP_S, _START_S, _STOP_S, _NOOP_S = 1200, 120, 30, 120


class NotStarted(Exception):
    """An app does not start. The message names it and its log."""


def quorum_target() -> Target:
    """Return the running Quorum; run `quorum up` first if none answers.

    Raises:
        NoTarget, subprocess.CalledProcessError: it cannot be started.
    """
    try:
        target = find_target()
        if _answers(f"{target.url}/v2/health/live"):
            return target
    except NoTarget:
        pass
    command = [str(Path(sys.executable).with_name("quorum")), "up"]
    subprocess.run(command, check=True, timeout=_UP_S, stdout=sys.stderr)
    return find_target()


def quorum(target: Target, payments: list[Payment]) -> App:
    """Return the Quorum at `target`."""
    url = target.url + _PATH
    return App(
        QUORUM, url, target.api_key, lambda: node_processes(target.home), _played(payments), "ray"
    )


@contextmanager
def no_op(target: Target, payments: list[Payment]) -> Iterator[App]:
    """Yield an app that does nothing, on Quorum's node.

    Raises:
        NoNode, subprocess.SubprocessError: it cannot be deployed.
    """
    ray = ray_environment(target.home)
    try:
        # Within the `try`, so that a half-finished deployment is removed too.
        _noop_command("up", ray)
        url = target.url + ROUTE
        yield App(
            *(NO_OP, url, "", lambda: node_processes(target.home), _played(payments), "ray"),
            decides=False,
            takes_batches=False,
        )
    finally:
        _noop_command("down", ray)


@contextmanager
def tuned(target: Target, payments: list[Payment], settings: Settings, port: int) -> Iterator[App]:
    """Yield FastAPI on two uvicorn processes.

    Raises:
        NotStarted: it does not start.
    """
    with tempfile.TemporaryDirectory(prefix="quorum-bench-") as metrics:
        shared = {"PROMETHEUS_MULTIPROC_DIR": metrics}
        with _own(TUNED, 11, target, settings, port, shared) as (root, environment):
            yield App(
                *(TUNED, f"http://127.0.0.1:{port}{_PATH}", target.api_key, lambda: tree(root)),
                *(_played(payments), TUNED),
                environment=environment,
            )


@contextmanager
def docs(target: Target, payments: list[Payment], settings: Settings, port: int) -> Iterator[App]:
    """Yield Ray Serve as its documentation shows it, on a node of its own.

    Raises:
        NotStarted: it does not start.
    """
    with _own(DOCS, 12, target, settings, port, {}) as (root, environment):
        yield App(
            *(DOCS, f"http://127.0.0.1:{port}{_PATH}", target.api_key, lambda: tree(root)),
            *(_played(payments), DOCS),
            takes_batches=False,
            environment=environment,
        )


def store_processes(home: Path) -> list[psutil.Process]:
    """Return PostgreSQL and Redis, if `quorum up` started them here."""
    return [process for process in processes(home) if name_of(process) in STORES]


@contextmanager
def _own(
    name: str,
    redis_number: int,
    target: Target,
    settings: Settings,
    port: int,
    more: dict[str, str],
) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    """Run an app on stores of its own, at `port`, and end it gently.

    Yields its process, and the environment with which to work on its stores.
    """
    url = f"http://127.0.0.1:{port}/health"
    if _answers(url):
        raise NotStarted(f"{url} is in use: stop what an earlier run left")
    with stores_of(name, redis_number, settings) as stores:
        environment = {
            **stores.environment,
            # If many requests share a loop, a late loop looks like a late Redis.
            "QUORUM_REDIS_TIMEOUT_MS": "2000",
            "QUORUM_HOME": str(target.home),
            "PYTHONPATH": str(_ROOT),
        }
        log = target.home / "logs" / f"bench-{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", f"loadtests.bench.apps.{name}", "--port", str(port)],
                cwd=_ROOT,
                env={**inherited, **environment, **more},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            try:
                _await(url, process, log)
                yield psutil.Process(process.pid), environment
            finally:
                _end(process)


def _await(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotStarted(f"{url} does not answer: see {log}")
        time.sleep(0.25)


def _end(process: subprocess.Popen[bytes]) -> None:
    below = tree(psutil.Process(process.pid)) if process.poll() is None else []
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for left in below:
        if left.is_running():
            left.kill()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _played(payments: list[Payment]) -> Playlist:
    return Playlist(payments, passes=max(1, PLAYED // len(payments)))


def _noop_command(command: str, ray: dict[str, str]) -> None:
    # A process of its own, because a Ray driver's threads would take time from this one.
    subprocess.run(
        [sys.executable, "-m", "loadtests.noop_app", command],
        check=True,
        timeout=_NOOP_S,
        cwd=_ROOT,
        env=os.environ | ray,
        stdout=subprocess.DEVNULL,
    )
