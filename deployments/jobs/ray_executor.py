"""Units of work in processes of this node that Ray starts and watches."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

import ray
from ray.exceptions import RayActorError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from bulk.engine.workers.executor import WorkerLost
from bulk.engine.workers.worker import ONE_THREAD
from deployments.jobs.worker import JobWorker

T = TypeVar("T")

IDLE_S: Final = 15.0
"""A process without work ends after so long: it holds models and a few hundred megabytes."""

_CPUS: Final = 0.01
"""What Ray counts of a processor: the priority keeps these processes out of the way, not Ray."""


class RayExecutor:
    """An executor (`bulk.engine.workers.executor.Executor`), made and used on one event loop.

    Args:
        workers: processes, > 0; started when they are needed.
        node_id: of this node, where the files of jobs are.
        idle_s: see `IDLE_S`.
    """

    def __init__(self, workers: int, node_id: str, idle_s: float = IDLE_S) -> None:
        self._workers = workers
        self._idle_s = idle_s
        self._idle: list[tuple[Any, asyncio.TimerHandle]] = []
        self._busy: set[Any] = set()
        self._places = asyncio.Semaphore(workers)
        self._actor = ray.remote(JobWorker).options(
            num_cpus=_CPUS,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False),
            runtime_env={"env_vars": dict(ONE_THREAD)},
        )

    @property
    def workers(self) -> int:
        """See `Executor`."""
        return self._workers

    async def run(self, function: Callable[..., T], *args: object) -> T:
        """See `Executor`."""
        async with self._places:
            worker = self._taken()
            self._busy.add(worker)
            is_whole = False
            try:
                found: T = await worker.run.remote(function, args)
                is_whole = True
                return found
            except RayTaskError as error:
                is_whole = True
                raise error.cause from None
            except RayActorError as error:
                raise WorkerLost("its process was killed, perhaps for its memory") from error
            finally:
                self._busy.discard(worker)
                if is_whole:
                    self._put_back(worker)
                else:
                    ray.kill(worker)

    async def close(self) -> None:
        """See `Executor`."""
        for worker, timer in self._idle:
            timer.cancel()
            ray.kill(worker)
        self._idle.clear()
        for worker in list(self._busy):
            ray.kill(worker)

    def _taken(self) -> Any:
        if not self._idle:
            return self._actor.remote()
        worker, timer = self._idle.pop()
        timer.cancel()
        return worker

    def _put_back(self, worker: Any) -> None:
        timer = asyncio.get_running_loop().call_later(self._idle_s, self._end, worker)
        self._idle.append((worker, timer))

    def _end(self, worker: Any) -> None:
        self._idle = [one for one in self._idle if one[0] is not worker]
        ray.kill(worker)
