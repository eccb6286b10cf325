"""Units of work in processes of this one, for the command line."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import TypeVar

from bulk.engine.workers.executor import WorkerLost
from bulk.engine.workers.worker import NICE, begin

T = TypeVar("T")


class ProcessPool:
    """An executor. Each worker is a pool of one process, so that a process that is killed takes
    nothing with it but its own work; the next work gets a new one.

    Args:
        workers: processes, > 0; started when they are needed.
        nice: their priority, 0 to 19.
    """

    def __init__(self, workers: int, nice: int = NICE) -> None:
        self._workers = workers
        self._nice = nice
        self._idle: list[ProcessPoolExecutor] = []
        self._busy: set[ProcessPoolExecutor] = set()
        self._places = asyncio.Semaphore(workers)

    @property
    def workers(self) -> int:
        """See `Executor`."""
        return self._workers

    async def run(self, function: Callable[..., T], *args: object) -> T:
        """See `Executor`."""
        async with self._places:
            worker = self._idle.pop() if self._idle else self._started()
            self._busy.add(worker)
            is_whole = False
            try:
                found = await asyncio.get_running_loop().run_in_executor(worker, function, *args)
                is_whole = True
                return found
            except BrokenProcessPool as error:
                raise WorkerLost("its process was killed, perhaps for its memory") from error
            except Exception:
                is_whole = True
                raise
            finally:
                self._busy.discard(worker)
                if is_whole:
                    self._idle.append(worker)
                else:
                    _kill(worker)

    async def close(self) -> None:
        """See `Executor`."""
        stopped = [*self._idle, *self._busy]
        self._idle.clear()
        for worker in stopped:
            _kill(worker)

    def _started(self) -> ProcessPoolExecutor:
        # A fresh interpreter: a fork of this process would inherit its threads' locks.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, context, begin, (self._nice,))


def _kill(worker: ProcessPoolExecutor) -> None:
    # Its processes are not public before Python 3.14, and a running function ends in no other way.
    for process in list((getattr(worker, "_processes", None) or {}).values()):
        with suppress(ProcessLookupError, ValueError):
            process.kill()
    worker.shutdown(wait=False, cancel_futures=True)
