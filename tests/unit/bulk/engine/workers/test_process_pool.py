"""Units of work in processes of this one."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

from bulk.engine.workers.process_pool import ProcessPool
from tests.contracts.executors import check_executor, runs_any, wait_beside
from tests.contracts.waiting import until

_PARENT = """
import asyncio, sys
from bulk.engine.workers.process_pool import ProcessPool
from tests.contracts.executors import wait_beside

if __name__ == "__main__":
    asyncio.run(ProcessPool(1).run(wait_beside, sys.argv[1]))
"""


async def test_it_keeps_the_promises_of_executors(tmp_path: Path) -> None:
    pool = ProcessPool(2)
    try:
        await check_executor(pool, tmp_path)
    finally:
        await pool.close()


async def test_closing_stops_all_work(tmp_path: Path) -> None:
    pool = ProcessPool(1)
    held = asyncio.create_task(pool.run(wait_beside, str(tmp_path)))
    await until(lambda: any(tmp_path.iterdir()))
    await pool.close()
    await pool.close()
    (found,) = await asyncio.gather(held, return_exceptions=True)
    assert isinstance(found, Exception)
    await until(lambda: not runs_any(tmp_path))


def test_workers_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    folder = tmp_path / "pids"
    folder.mkdir()
    parent = subprocess.Popen(
        [sys.executable, str(script), str(folder)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    try:
        asyncio.run(until(lambda: any(folder.iterdir())))
        parent.send_signal(signal.SIGKILL)
        asyncio.run(until(lambda: not runs_any(folder)))
    finally:
        parent.kill()
        parent.wait()


async def test_ctrl_c_on_the_terminal_is_for_the_parent_alone() -> None:
    pool = ProcessPool(1, nice=0)
    try:
        process = await pool.run(os.getpid)
        os.kill(process, signal.SIGINT)
        assert await pool.run(os.getpid) == process
    finally:
        await pool.close()
