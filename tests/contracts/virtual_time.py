"""An event loop whose time passes as soon as nothing is left to do: the same seconds each time,
however busy the machine is."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

_TURN_S = 1e-6
"""Every turn of the loop takes a little, so that no rounding of sums makes time stand still."""


class _Selector(selectors.DefaultSelector):
    """Waits for nothing; `now` moves on by as long as it would have waited."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is left that could ever happen")
        self.now += max(_TURN_S, timeout)
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(coming: Coroutine[Any, Any, Any]) -> Any:
    """What `coming` returns; `asyncio.get_running_loop().time()` is its clock, from 0 on. It must
    wait for nothing outside of its loop."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(coming)
