"""Staying in the foreground, as the first process of a container must."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from types import FrameType

from cluster.terminal.terminal import CommandFailed

_MISSES = 3


class _AskedToStop(BaseException):
    """SIGTERM or SIGINT came. No Exception: nothing on the way may take it for a failure."""


def hold(
    start: Callable[[], None],
    alive: Callable[[], bool],
    stop: Callable[[], None],
    *,
    poll_s: float = 5.0,
) -> None:
    """Start, stay while it is alive, and stop it however this ends.

    SIGTERM and SIGINT end it in order, while it starts as well; a second one is not listened to.

    Args:
        start: brings up what is held.
        alive: whether it still is; false three times in a row means it is not.
        stop: takes it down; called once.
        poll_s: seconds between two looks, > 0.

    Raises:
        CommandFailed: it ended by itself.
    """
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, _ask) for number in numbers}
    try:
        start()
        _watch(alive, poll_s)
    except _AskedToStop:
        pass
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        stop()
        for number, handler in before.items():
            signal.signal(number, handler)


def _ask(number: int, _: FrameType | None) -> None:
    # A process without a handler for it ignores SIGTERM when it is a container's first.
    raise _AskedToStop(number)


def _watch(alive: Callable[[], bool], poll_s: float) -> None:
    missed = 0
    while missed < _MISSES:
        time.sleep(poll_s)
        _reap()
        missed = 0 if alive() else missed + 1
    raise CommandFailed("the Ray node is gone", "see its logs; `quorum up` starts it again")


def _reap() -> None:
    """Take note of ended children that nobody else does: daemons become ours when we are pid 1."""
    if os.getpid() != 1:
        return
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
