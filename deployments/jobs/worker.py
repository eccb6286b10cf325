"""A process of this node that does units of work, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bulk.engine.workers.worker import become_worker


class JobWorker:
    """An actor. Its process is its own and ends with it: no replica ever runs in a process of the
    lowest priority, and no memory stays behind."""

    def __init__(self) -> None:
        become_worker()

    def run(self, function: Callable[..., Any], args: tuple[object, ...]) -> Any:
        """Return `function(*args)`."""
        return function(*args)
