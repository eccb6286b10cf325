"""The keeper: runs HAProxy, and restarts it the moment it dies.

Its clients are stand-ins. Each announces a configuration and stays connected. If none has been
connected for a while, Serve has ended, and the keeper ends HAProxy. If the keeper is killed, a
stand-in starts a new one, which finds HAProxy running.
"""

from __future__ import annotations

import fcntl
import json
import os
import selectors
import signal
import socket
import time
from pathlib import Path
from types import FrameType
from typing import Any

from cluster.edge import haproxy
from cluster.edge.files import EdgeFiles

ORPHANED_S = 60.0
"""How long HAProxy outlives Serve, so that a restarted Serve finds it running."""

_SOON_S, _LATER_S = 0.02, 1.0


class Keeper:
    """Keeps one HAProxy running.

    Args:
        program: HAProxy.
        files: the files of the edge.
        orphaned_s: seconds that it goes on without a stand-in.
    """

    def __init__(self, program: Path, files: EdgeFiles, orphaned_s: float = ORPHANED_S) -> None:
        self._program = program
        self._files = files
        self._orphaned_s = orphaned_s
        self._selector = selectors.DefaultSelector()
        self._peers = 0
        self._orphaned_since = time.monotonic()
        self._pid = 0
        self._old: set[int] = set()
        self._restart_at: float | None = None
        self._pause_s = _SOON_S
        self._started_at = 0.0

    def run(self) -> None:
        """Serve stand-ins until the last one has left, then end HAProxy."""
        files = self._files
        files.keeper.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(files.keeper))
            listener.listen()
            self._selector.register(listener, selectors.EVENT_READ, self._accept)
            try:
                while self._peers or time.monotonic() - self._orphaned_since < self._orphaned_s:
                    self._turn()
            finally:
                files.keeper.unlink(missing_ok=True)
                self._end()

    def _turn(self) -> None:
        wait_s = 5.0 if self._peers and not self._old else 1.0
        if self._restart_at is not None:
            wait_s = max(0.0, self._restart_at - time.monotonic())
        for key, _ in self._selector.select(wait_s):
            key.data(key.fileobj)
        self._old = {pid for pid in self._old if not haproxy.has_ended(pid)}
        if self._restart_at is not None and time.monotonic() >= self._restart_at:
            self._restart()

    def _accept(self, listener: socket.socket) -> None:
        peer, _ = listener.accept()
        self._peers += 1
        self._selector.register(peer, selectors.EVENT_READ, self._answer)

    def _answer(self, peer: socket.socket) -> None:
        try:
            request = peer.recv(4096)
        except OSError:
            request = b""
        if request:
            answer: dict[str, Any]
            try:
                self._watch(haproxy.start(self._program, self._files))
                answer = {"pid": self._pid}
            except haproxy.NotStarted as error:
                answer = {"error": str(error)}
            try:
                peer.sendall(json.dumps(answer).encode() + b"\n")
                return
            except OSError:
                pass
        self._selector.unregister(peer)
        peer.close()
        self._peers -= 1
        self._orphaned_since = time.monotonic()

    def _watch(self, pid: int) -> None:
        if self._pid:
            self._old.add(self._pid)
        self._pid = pid
        self._started_at = time.monotonic()
        self._restart_at = None
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._plan_restart()
            return
        self._selector.register(fd, selectors.EVENT_READ, lambda fd, pid=pid: self._gone(fd, pid))

    def _gone(self, fd: int, pid: int) -> None:
        self._selector.unregister(fd)
        os.close(fd)
        haproxy.has_ended(pid)
        self._old.discard(pid)
        if pid == self._pid:
            self._log(f"HAProxy {pid} died")
            self._plan_restart()

    def _plan_restart(self) -> None:
        """Plan a restart: at once, or later and later if HAProxy keeps dying."""
        lived_s = time.monotonic() - self._started_at
        self._pause_s = 0.0 if lived_s > 1 else min(_LATER_S, max(_SOON_S, 2 * self._pause_s))
        self._pid = 0
        self._restart_at = time.monotonic() + self._pause_s

    def _restart(self) -> None:
        self._started_at = time.monotonic()  # an attempt that fails has not lived
        try:
            self._watch(haproxy.start(self._program, self._files))
            self._log(f"HAProxy restarted as {self._pid}")
        except haproxy.NotStarted as error:
            self._log(f"HAProxy does not start: {error}")
            self._plan_restart()

    def _end(self) -> None:
        for pid in (self._pid, *self._old):
            try:
                if pid:
                    os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass

    def _log(self, event: str) -> None:
        with self._files.log.open("a") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {event}\n")


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(0)


def main(tools: str, folder: str) -> None:
    """Keep the HAProxy of `folder` running, unless another keeper does.

    Args:
        tools: folder of HAProxy and its answers; see `install.py`.
        folder: the folder of Serve's configuration.
    """
    os.umask(0o077)
    files = EdgeFiles(Path(folder))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    with files.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        Keeper(Path(tools) / "haproxy", files).run()
