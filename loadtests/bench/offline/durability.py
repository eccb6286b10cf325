"""What answers that wait for PostgreSQL cost: `python -m loadtests.bench.offline.durability`.

`QUORUM_LOG_DURABILITY=database` against `disk`, the default.

A decision log on a real disk and a real PostgreSQL of its own, which syncs. A number of callers
append micro-batches as a combiner does, each its next one once the last is answered. Latencies are
those of append, and of the wait for PostgreSQL. Processor time is that of this process and of
PostgreSQL's, until everything is shipped.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil
import uvloop

from cluster.embedded import EmbeddedPostgres
from cluster.schema.migrate import migrate
from decision_log.log import LONGEST_DATABASE_WAIT_S, DecisionLog
from features.assemble import without_history
from fraud.plan import Plan
from fraud.record import RecordBatch
from loadtests.bench.offline.routing import Fakes, decider, ensemble, payments, votes_on

ROWS = (1, 32)
CALLERS = (1, 16)
MODES = {"disk": 0.0, "database": LONGEST_DATABASE_WAIT_S}
PLAN = Plan("default", 1, ensemble(0.5, 0.3, 0.2))


class _Keeping(Fakes):
    """Keeps the records that a decider makes."""

    kept: Sequence[RecordBatch] = ()

    async def append(self, batches: Sequence[RecordBatch]) -> None:
        """Keep the records."""
        self.kept = batches


@dataclass(frozen=True, slots=True)
class Figures:
    """What one way of appending cost.

    Attributes:
        mode: `disk` or `database`.
        rows: of each micro-batch.
        callers: that append at the same time.
        p50_ms, p99_ms: from the call to the answer.
        rows_s: answered rows a second.
        cpu_us: processor time a row of the process that appends and ships, microseconds.
        database_cpu_us: that of PostgreSQL.
        rows_a_transaction: rows that a transaction shipped in the mean.
        late: answers that went out before PostgreSQL had their records.
    """

    mode: str
    rows: int
    callers: int
    p50_ms: float
    p99_ms: float
    rows_s: float
    cpu_us: float
    database_cpu_us: float
    rows_a_transaction: float
    late: int


async def micro_batches(rows: int, n: int, run: str) -> list[list[RecordBatch]]:
    """Return the records of `n` micro-batches, each of payments of its own."""
    batch = payments(rows)
    fakes = _Keeping(votes_on(rows, highest=0.05), without_history(batch))
    deciding = decider(fakes, {"house": PLAN})
    made = []
    for number in range(n):
        batch = payments(rows)
        now_ms = time.time_ns() // 1_000_000
        batch.transaction_id = [f"{run}-{number}-{i}" for i in range(rows)]
        batch.timestamp_ms = [now_ms] * rows
        await deciding.decide(batch)
        made.append(list(fakes.kept))
    return made


async def appended(
    log: DecisionLog, batches: Sequence[list[RecordBatch]], waits: bool
) -> tuple[list[float], int]:
    """Append micro-batches one after the other. Returns milliseconds of each, and how many were
    answered without PostgreSQL although they were to wait."""
    taken, late = [], 0
    for records in batches:
        start_ns = time.perf_counter_ns()
        await log.append(records)
        if waits and not await log.reach_database(records):
            late += 1
        taken.append((time.perf_counter_ns() - start_ns) / 1e6)
    return taken, late


async def measured(
    root: Path, url: str, pid: int, mode: str, rows: int, callers: int, appends: int
) -> Figures:
    """Measure one way of appending, `appends` times for each caller after a tenth to warm up.

    Args:
        root: of the log.
        url, pid: of PostgreSQL, and of its first process.
    """
    name = f"{mode}-{rows}-{callers}"
    log = DecisionLog(root, url, name, database_wait_s=MODES[mode])
    await log.start()
    for caller in await _lanes(rows, callers, max(3, appends // 10), f"{name}-warm"):
        await appended(log, caller, bool(MODES[mode]))
    await _shipped(log)
    lanes = await _lanes(rows, callers, appends, name)
    before, shipments = _cpu_s(pid), log.stats.ship_batches
    gc.collect()
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    found = await asyncio.gather(*(appended(log, lane, bool(MODES[mode])) for lane in lanes))
    took_s = time.perf_counter() - began_s
    await _shipped(log)
    cpu_s, database_s = time.process_time() - began_cpu_s, _cpu_s(pid) - before
    shipments = log.stats.ship_batches - shipments
    await log.close()
    ms = np.concatenate([taken for taken, _ in found])
    n = rows * callers * appends
    return Figures(
        mode=mode,
        rows=rows,
        callers=callers,
        p50_ms=round(float(np.quantile(ms, 0.5)), 3),
        p99_ms=round(float(np.quantile(ms, 0.99)), 3),
        rows_s=round(n / took_s),
        cpu_us=round(cpu_s / n * 1e6, 1),
        database_cpu_us=round(database_s / n * 1e6, 1),
        rows_a_transaction=round(n / max(1, shipments), 1),
        late=sum(late for _, late in found),
    )


async def _lanes(rows: int, callers: int, n: int, run: str) -> list[list[list[RecordBatch]]]:
    return [await micro_batches(rows, n, f"{run}-{caller}") for caller in range(callers)]


async def _shipped(log: DecisionLog) -> None:
    while True:
        if not log.lag().rows:
            return
        await asyncio.sleep(0.05)


def _cpu_s(pid: int) -> float:
    """Return the processor time of PostgreSQL's processes, those that have ended included."""
    postmaster = psutil.Process(pid)
    own = postmaster.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in postmaster.children(recursive=True):
        times = child.cpu_times()
        total += times.user + times.system
    return total


async def everything(root: Path, server: EmbeddedPostgres, appends: int) -> list[Figures]:
    """Measure every way, both modes next to each other."""
    await migrate(server.url)
    assert server.pid is not None
    return [
        await measured(root, server.url, server.pid, mode, rows, callers, appends)
        for rows in ROWS
        for callers in CALLERS
        for mode in MODES
    ]


def main() -> int:
    """Measure, and print a line for each way; 1 if an answer went out without PostgreSQL."""
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0])
    parser.add_argument("--appends", type=int, default=100, help="of each caller")
    parser.add_argument(
        "--folder", type=Path, help="on the disk to measure; default: one for temporary files"
    )
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.start()
        try:
            found = uvloop.run(everything(Path(folder) / "wal", server, given.appends))
        finally:
            server.stop()
    if given.json:
        print(json.dumps([asdict(figures) for figures in found]))
        return int(any(figures.late for figures in found))
    print("mode      rows callers   p50 ms   p99 ms   rows/s  us a row  PostgreSQL  rows together")
    for f in found:
        print(
            f"{f.mode:9} {f.rows:4} {f.callers:7} {f.p50_ms:8.2f} {f.p99_ms:8.2f} {f.rows_s:8.0f}"
            f" {f.cpu_us:9.0f} {f.database_cpu_us:11.0f} {f.rows_a_transaction:14.1f}"
            + (f"  {f.late} late" if f.late else "")
        )
    return int(any(figures.late for figures in found))


if __name__ == "__main__":
    sys.exit(main())
