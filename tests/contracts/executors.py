"""What every executor of units of work does, wherever its processes are."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from bulk.engine.workers.executor import Executor, WorkerLost
from bulk.engine.workers.worker import ONE_THREAD
from fraud.errors import InvalidInput
from tests.contracts.waiting import until


def process_facts() -> tuple[int, int, int, dict[str, str | None]]:
    """Id, priority, umask and thread settings of a worker."""
    mask = os.umask(0)
    os.umask(mask)
    return os.getpid(), os.nice(0), mask, {name: os.environ.get(name) for name in ONE_THREAD}


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def refuse() -> None:
    """Raise an error of ours."""
    raise InvalidInput("no", (("/file", "empty-file", "it is empty"),))


def die() -> None:
    """End as one who is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def wait_beside(folder: str) -> None:
    """Leave a file with the process's id, and wait for ever."""
    Path(folder, str(os.getpid())).touch()
    signal.pause()


async def check_executor(executor: Executor, folder: Path) -> None:
    """Assert that an executor with two workers keeps its promises."""
    assert executor.workers == 2
    assert await executor.run(add, 1, 2) == 3
    pid, nice, mask, threads = await executor.run(process_facts)
    assert pid != os.getpid()
    assert (nice, mask, threads) == (19, 0o077, dict(ONE_THREAD))

    with pytest.raises(InvalidInput) as caught:
        await executor.run(refuse)
    assert caught.value.errors == (("/file", "empty-file", "it is empty"),)

    dying, other = asyncio.create_task(executor.run(die)), executor.run(add, 2, 2)
    assert await other == 4
    with pytest.raises(WorkerLost):
        await dying
    assert await executor.run(add, 3, 3) == 6

    held = [asyncio.create_task(executor.run(wait_beside, str(folder))) for _ in range(3)]
    await until(lambda: len(list(folder.iterdir())) == 2)  # the third waits for a place
    held[2].cancel()
    held[0].cancel()
    held[1].cancel()
    await asyncio.gather(*held, return_exceptions=True)
    await until(lambda: not runs_any(folder))
    assert await asyncio.gather(*(executor.run(add, n, n) for n in range(5))) == [0, 2, 4, 6, 8]


def runs_any(folder: Path) -> bool:
    """Whether a process runs that `wait_beside` left a file of."""
    return any(_is_running(int(path.name)) for path in folder.iterdir())


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # gone before, or while it was read
        return False
    return state != "Z"
