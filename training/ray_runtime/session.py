"""Connecting to Ray for training: a running cluster, or a private node for the run."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray._private.authentication import authentication_token_setup

from fraud.errors import Unavailable
from training.ray_runtime.keeper import end_session

_MIB = 1024 * 1024
_LEAST_STORE_BYTES = 128 * _MIB
# Ray gives a node 30 s to start. A busy machine may exceed that once, but hardly three times.
_ATTEMPTS = 3
_START_S = 120.0
_STOP_S = 20.0
_AUTH_MODE = "RAY_AUTH_MODE"
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # How often Ray Train polls its workers. Workers wait for a poll at each checkpoint and at the
    # end: with the default of 2 s a short training mostly waits.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
}
_CONNECTION: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}


@contextmanager
def ray_session(address: str | None, object_bytes: int) -> Iterator[None]:
    """Connect to the Ray at `address`, or start a private node and stop it afterwards.

    A private node runs on this machine and accepts only this user's Ray token, unless
    RAY_AUTH_MODE states otherwise. It ends with the session and with this process, however that
    ends.

    Args:
        address: of a running Ray; None for a private node. A process that is already connected
            stays connected.
        object_bytes: the size of what will be put into the object store.

    Raises:
        Unavailable: a private node does not start; the message quotes its log.
        ConnectionError: nothing answers at `address`.
    """
    if ray.is_initialized():
        yield
        return
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if address is not None:
        try:
            ray.init(address=address, **_CONNECTION)
            yield
        finally:
            ray.shutdown()
        return
    store_bytes = max(_LEAST_STORE_BYTES, int(object_bytes * 1.2) + 64 * _MIB)
    with contextlib.ExitStack() as node:
        _connect(node, store_bytes)
        yield


def _connect(session: contextlib.ExitStack, store_bytes: int) -> None:
    """Start a private node and connect to it; `session` undoes both."""
    for attempt in range(1, _ATTEMPTS + 1):
        with contextlib.ExitStack() as tried:
            keeper = tried.enter_context(_keeper(store_bytes))
            try:
                address = keeper.address()
                tried.enter_context(_token())
                tried.callback(ray.shutdown)
                ray.init(address=address, **_CONNECTION)
            except (Unavailable, ConnectionError, RuntimeError) as error:
                if attempt == _ATTEMPTS:
                    why = keeper.last_line() or str(error)
                    raise Unavailable(f"a private Ray does not start: {why}") from error
            else:
                session.push(tried.pop_all())
                return


@dataclass(frozen=True, slots=True)
class _Keeper:
    """A `training.ray_runtime.keeper` process and the log of it and its node."""

    process: subprocess.Popen[str]
    log: Path

    def address(self) -> str:
        """Wait for the node's address.

        Raises:
            Unavailable: the keeper ended, or did not answer in time.
        """
        assert self.process.stdout is not None
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            readable, _, _ = select.select([self.process.stdout], [], [], 1.0)
            if readable:
                if line := self.process.stdout.readline().strip():
                    return str(line)
                raise Unavailable("its process ended during the start")
        raise Unavailable(f"no answer after {_START_S:.0f} s")

    def last_line(self) -> str:
        """The last line of the log; "" if it is empty."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def end(self) -> None:
        """End the keeper and every process of its node."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        finally:
            self.process.stdout.close()
            end_session(self.process.pid)


@contextmanager
def _keeper(store_bytes: int) -> Iterator[_Keeper]:
    # Not Ray's usual folder: there `session_latest` points to the newest session, and that must
    # stay the one that serves on this machine. A short path, since socket paths are limited to
    # about a hundred bytes.
    place = "/tmp" if os.path.isdir("/tmp") else None  # noqa: S108 — the name in it is ours alone
    folder = Path(tempfile.mkdtemp(prefix="quorum-ray-", dir=place))
    log = folder / "keeper.log"
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 — our own interpreter
                [
                    sys.executable,
                    "-m",
                    "training.ray_runtime.keeper",
                    str(folder),
                    str(store_bytes),
                ],
                # In its own session: Ctrl-C reaches only the driver, which cleans up in order.
                start_new_session=True,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=_environment(),
                text=True,
            )
        keeper = _Keeper(process, log)
        try:
            yield keeper
        finally:
            keeper.end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k != "RAY_ADDRESS"}
    return {**inherited, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


@contextmanager
def _token() -> Iterator[None]:
    """Send the user's token, which the node expects; the node has created one if there was none.

    Ray sends it by itself only to a node that it discovers, not to one given by address. The
    environment variable is restored, as it would turn on tokens for other nodes that we start.
    """
    before = os.environ.get(_AUTH_MODE)
    # Ray would warn that tokens are used.
    logging.getLogger(authentication_token_setup.__name__).setLevel(logging.ERROR)
    authentication_token_setup.maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_AUTH_MODE, None)
