"""Where units of work are done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from fraud.errors import QuorumError

T = TypeVar("T")


class WorkerLost(QuorumError):
    """The process that did the work is gone: killed, or out of memory."""


class Executor(Protocol):
    """Processes of the lowest priority on this machine, with one thread each."""

    @property
    def workers(self) -> int:
        """How many functions run at a time; the others wait."""
        ...

    async def run(self, function: Callable[..., T], *args: object) -> T:
        """Return `function(*args)`, called in a process that may be killed at any time.

        If this call is cancelled, so is the work, in the middle if need be.

        Args:
            function: of a module, not nested.
            args: can be pickled, and are small.

        Raises:
            WorkerLost: the process is gone.
            Exception: what the function raises.
        """
        ...

    async def close(self) -> None:
        """Stop all work. Idempotent."""
        ...
