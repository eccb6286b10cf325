"""A writer under load, to be killed: prints the id of every decision once it may be returned.

    python writer.py ROOT DATABASE_URL OWNER [DATABASE_WAIT_S]

With DATABASE_WAIT_S it prints only decisions whose records are in PostgreSQL.
Eight clients append micro-batches of one to four records, some transactions twice, as a client that
retries. It ends in order when its standard input does.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time
from pathlib import Path

from decision_log.log import DecisionLog
from decision_log.shipping.shipper import ShipperConfig
from tests.contracts.decisions import decision_records, gathered


async def client(log: DecisionLog, name: str, stop: asyncio.Future[str], waits: bool) -> None:
    for i in itertools.count():
        if stop.done():
            return
        prefix = f"{name}-{i - i % 2}-"
        records = decision_records(1 + i % 4, prefix, at_ms=time.time_ns() // 1_000_000)
        batches = gathered(records)
        await log.append(batches)
        if waits and not await log.reach_database(batches):
            continue
        # One write a line, straight to the pipe: what was told is told, whatever is killed next.
        os.write(1, "".join(f"{r.decision_id}\n" for r in records).encode())


async def main(root: str, url: str, owner: str, wait_s: str = "0") -> None:
    waits = float(wait_s)
    shipper = None if waits else ShipperConfig(linger_s=0.002, busy_linger_s=0.002)
    log = DecisionLog(
        Path(root), url, owner, shipper=shipper, orphans_s=0.05, database_wait_s=waits
    )
    await log.start()
    stop = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    names = [f"{owner}-{k}-{os.getpid()}" for k in range(8)]
    await asyncio.gather(*(client(log, name, stop, bool(waits)) for name in names))
    await log.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
