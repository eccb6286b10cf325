"""An event loop with virtual time: it jumps ahead when there is nothing to do, so that durations do
not depend on how busy the machine is."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

_TURN_S = 1e-6
"""Every turn of the loop takes this long, so that rounding cannot stop time."""


class _Selector(selectors.DefaultSelector):
    """Does not wait; `now` advances by the time that it would have waited."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("the loop would wait for ever")
        self.now += max(_TURN_S, timeout)
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """Makes each wait as long as asked for, and none of it real."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine. The clock, `get_running_loop().time()`, starts at 0.

    The coroutine must not wait for anything outside of its loop.
    """
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(coroutine)
