"""The keeper: runs HAProxy, and starts it again the moment it dies.

It serves stand-ins: each tells it that there is a configuration, and stays connected. When nobody
has been connected for a while, Serve is gone, and HAProxy with it. A keeper that is killed is
started again by a stand-in, and finds HAProxy running.
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

LONELY_S = 60.0
"""How long HAProxy outlives Serve: a Serve that is restarted finds it where it was."""

_SOON_S, _LATER_S = 0.02, 1.0


class Keeper:
    """Keeps one HAProxy.

    Args:
        program: HAProxy.
        place: its files.
        lonely_s: how long it goes on without a stand-in.
    """

    def __init__(self, program: Path, place: EdgeFiles, lonely_s: float = LONELY_S) -> None:
        self._program = program
        self._place = place
        self._lonely_s = lonely_s
        self._selector = selectors.DefaultSelector()
        self._peers = 0
        self._lonely_since = time.monotonic()
        self._pid = 0
        self._old: set[int] = set()
        self._restart_at: float | None = None
        self._pause_s = _SOON_S
        self._started_at = 0.0

    def run(self) -> None:
        """Serve stand-ins until they are gone, then end HAProxy."""
        place = self._place
        place.keeper.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(place.keeper))
            listener.listen()
            self._selector.register(listener, selectors.EVENT_READ, self._joined)
            try:
                while self._peers or time.monotonic() - self._lonely_since < self._lonely_s:
                    self._turn()
            finally:
                place.keeper.unlink(missing_ok=True)
                self._end()

    def _turn(self) -> None:
        wait_s = 5.0 if self._peers and not self._old else 1.0
        if self._restart_at is not None:
            wait_s = max(0.0, self._restart_at - time.monotonic())
        for key, _ in self._selector.select(wait_s):
            key.data(key.fileobj)
        self._old = {pid for pid in self._old if not haproxy.died(pid)}
        if self._restart_at is not None and time.monotonic() >= self._restart_at:
            self._restart()

    def _joined(self, listener: socket.socket) -> None:
        peer, _ = listener.accept()
        self._peers += 1
        self._selector.register(peer, selectors.EVENT_READ, self._asked)

    def _asked(self, peer: socket.socket) -> None:
        try:
            said = peer.recv(4096)
        except OSError:
            said = b""
        if said:
            answer: dict[str, Any]
            try:
                self._watch(haproxy.start(self._program, self._place))
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
        self._lonely_since = time.monotonic()

    def _watch(self, pid: int) -> None:
        if self._pid:
            self._old.add(self._pid)
        self._pid = pid
        self._started_at = time.monotonic()
        self._restart_at = None
        try:
            fd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._again()
            return
        self._selector.register(fd, selectors.EVENT_READ, lambda fd, pid=pid: self._gone(fd, pid))

    def _gone(self, fd: int, pid: int) -> None:
        self._selector.unregister(fd)
        os.close(fd)
        haproxy.died(pid)
        self._old.discard(pid)
        if pid == self._pid:
            self._say(f"HAProxy {pid} died")
            self._again()

    def _again(self) -> None:
        """Start it again: at once, but not over and over."""
        lived_s = time.monotonic() - self._started_at
        self._pause_s = 0.0 if lived_s > 1 else min(_LATER_S, max(_SOON_S, 2 * self._pause_s))
        self._pid = 0
        self._restart_at = time.monotonic() + self._pause_s

    def _restart(self) -> None:
        try:
            self._watch(haproxy.start(self._program, self._place))
            self._say(f"HAProxy {self._pid} runs in its place")
        except haproxy.NotStarted as error:
            self._say(f"HAProxy does not start: {error}")
            self._again()

    def _end(self) -> None:
        for pid in (self._pid, *self._old):
            try:
                if pid:
                    os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass

    def _say(self, what: str) -> None:
        with self._place.log.open("a") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {what}\n")


def _leave(number: int, _: FrameType | None) -> None:
    raise SystemExit(0)


def main(tools: str, folder: str) -> None:
    """Keep the HAProxy of `folder`, which lies among `tools`, unless somebody does already."""
    os.umask(0o077)
    place = EdgeFiles(Path(folder))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    with place.lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        Keeper(Path(tools) / "haproxy", place).run()
