"""Running in the foreground, as the first process of a container must."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

from cluster.errors import CommandFailed

_MISSES = 3


class _StopRequested(BaseException):
    """SIGTERM or SIGINT arrived. A BaseException, so that no `except Exception` catches it."""


def run_in_foreground(
    start: Callable[[], None],
    alive: Callable[[], bool],
    stop: Callable[[], None],
    *,
    left: Callable[[], bool] = lambda: False,
    poll_s: float = 5.0,
) -> None:
    """Call `start`, wait while `alive`, and call `stop` however this ends.

    SIGTERM and SIGINT end it in order, during the start too; a second signal is ignored.

    Args:
        start: starts the service.
        alive: whether the service runs; it counts as ended after three False in a row.
        stop: stops the service; called once.
        left: whether somebody ended the service on purpose; then its end is no failure.
        poll_s: seconds between two checks, > 0.

    Raises:
        CommandFailed: the service ended by itself, and nobody ended it on purpose.
    """
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, _request_stop) for number in numbers}
    try:
        start()
        _watch(alive, left, poll_s)
    except _StopRequested:
        pass
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _request_stop(number: int, _: FrameType | None) -> None:
    # Without a handler, the first process of a container ignores SIGTERM.
    raise _StopRequested(number)


def _watch(alive: Callable[[], bool], left: Callable[[], bool], poll_s: float) -> None:
    missed = 0
    while missed < _MISSES:
        time.sleep(poll_s)
        _reap()
        missed = 0 if alive() else missed + 1
    if left():
        return
    raise CommandFailed(
        "the Ray node has ended", "see its logs; `quorum up`, or `quorum join`, starts it again"
    )


def _reap() -> None:
    """Reap ended children: daemons whose parent ended are ours when we are pid 1."""
    if os.getpid() != 1:
        return
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
