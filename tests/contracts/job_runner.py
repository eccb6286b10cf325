"""Runs one job in a process that a test may kill: `python -m tests.contracts.job_runner`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bulk.engine.job_run import Workshop
from bulk.engine.runner import Runner
from bulk.engine.workers.process_pool import ProcessPool
from bulk.jobs.store import JobStore
from stores.postgres.connect import open_pool
from tests.contracts.job_steps import LineSteps, plan_nothing


async def main(url: str, folder: str, hold: str) -> None:
    """Run the next job of a store."""
    pool = await open_pool(url, size=4, timeout_s=10.0)
    steps = LineSteps(hold=hold, held_from=2)
    shop = Workshop(JobStore(Path(folder)), ProcessPool(1), steps, plan_nothing, 7.0, 1 << 30)
    await Runner(pool, shop, "killed").run_next()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
