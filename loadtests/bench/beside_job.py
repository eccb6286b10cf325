"""Latency of live decisions before, beside and after a job of bulk scoring:

    python -m loadtests.bench.beside_job --per-s 60 --seconds 20 --rows 500000

Plays payments against a running Quorum as an open loop. The job scores a file of payments of the
same kind, without their labels. The load beside it begins with the upload, and must end before the
job does: if it does not, the run fails and says how long that took. The load itself takes a part of
the same processors.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import uvloop

from loadtests import open_loop
from loadtests.history import history_file
from loadtests.open_loop import OpenFigures
from loadtests.payments import Playlist, read_payments
from loadtests.target import NoTarget, Target, find_target
from loadtests.wire import Endpoint

LABEL: Final = "is_fraud"
ENDED: Final = frozenset({"done", "refused", "failed", "cancelled"})
_PAYMENTS = 50_000
_LOOK_S = 0.5
_LONGEST_JOB_S = 1800.0
_QUIET_S = 3.0
"""Files of the job are closed, and its processes idle, after so long."""


class NotMeasured(Exception):
    """The job did not do what the measurement needs. The message says what and why."""


def main(arguments: list[str] | None = None) -> int:
    """Measure and report. Returns 2 if nothing can be measured."""
    chosen = _options(arguments)
    try:
        uvloop.run(_measure(find_target(), chosen))
    except (NoTarget, NotMeasured, OSError, ValueError, httpx.HTTPError) as error:
        print(f"error: {error}", file=sys.stderr)
    except subprocess.SubprocessError:
        # The failed program has reported the reason on stderr.
        print("error: no payments could be made", file=sys.stderr)
    else:
        return 0
    return 2


async def _measure(target: Target, chosen: argparse.Namespace) -> None:
    path = history_file(target.home)
    playlist = Playlist(read_payments(path, _PAYMENTS))
    endpoint = Endpoint(f"{target.url}/v1/decisions", target.api_key, lambda: _next(playlist))

    async def load(name: str) -> None:
        print(line(name, await open_loop.run(endpoint, chosen.per_s, chosen.seconds)))

    with tempfile.TemporaryDirectory(prefix="quorum-load-") as folder:
        file = unlabelled(path, chosen.rows, Path(folder) / "payments.parquet")
        headers = {"X-API-Key": target.api_key}
        with httpx.Client(base_url=target.url, headers=headers, timeout=120) as client:
            await load("before")
            began_s = time.perf_counter()
            beside = asyncio.create_task(load("beside"))
            job = await asyncio.to_thread(submit, client, file)
            await beside
            job = await asyncio.to_thread(ended, client, job, time.perf_counter() - began_s)
            took_s = time.perf_counter() - began_s
            await asyncio.sleep(_QUIET_S)
            await load("after")
    print(f"job     {job['rows_total']:,} rows in {took_s:.0f} s")


def _next(playlist: Playlist) -> tuple[bytes, bytes]:
    order = playlist.take()
    return order.body, b'"transaction_id":"%b"' % order.transaction_id.encode()


def line(name: str, figures: OpenFigures) -> str:
    """Return the figures of one load as a line.

    Raises:
        NotMeasured: a request failed.
    """
    if figures.failures:
        raise NotMeasured(f"{name} the job: failures {figures.failures}")
    return (
        f"{name:<7} {figures.per_s:6.1f}/s  p50 {figures.p50_ms:6.1f} ms  "
        f"p90 {figures.p90_ms:6.1f} ms  p99 {figures.p99_ms:6.1f} ms"
    )


def unlabelled(path: Path, rows: int, to: Path) -> Path:
    """Write the last `rows` payments of a Parquet or CSV file without their labels."""
    if ".csv" in path.suffixes:
        raise NotMeasured(f"{path}: a Parquet file is needed")
    table = pq.read_table(path)
    table = table.slice(max(0, table.num_rows - rows))
    while table.num_rows < rows:
        # Again, so that a small history will do; repeated payments are payments, too.
        table = pa.concat_tables([table, table.slice(0, rows - table.num_rows)])
    kept = [name for name in table.column_names if name != LABEL]
    pq.write_table(table.select(kept), to)
    return to


def submit(client: httpx.Client, file: Path) -> dict[str, Any]:
    """Upload a file and return its job.

    Raises:
        NotMeasured: it was not taken, or waits for a confirmation.
    """
    with file.open("rb") as upload:
        answer = client.post("/v1/jobs", files={"file": (file.name, upload)})
    if answer.status_code != 202:
        raise NotMeasured(f"the job was not taken: {answer.status_code} {answer.text[:500]}")
    job: dict[str, Any] = answer.json()
    if job["state"] == "waiting":
        answer = client.post(f"/v1/jobs/{job['job_id']}/confirm")
        job = answer.raise_for_status().json()
    return job


def ended(client: httpx.Client, job: dict[str, Any], loaded_s: float) -> dict[str, Any]:
    """Wait for the end of a job that must not have ended yet; return it.

    Args:
        loaded_s: how long the load beside it took, for the message.

    Raises:
        NotMeasured: it had ended, or did not end well.
    """
    path = f"/v1/jobs/{job['job_id']}"
    found: dict[str, Any] = client.get(path).raise_for_status().json()
    if found["state"] in ENDED:
        raise NotMeasured(
            f"the job was {found['state']} before the load beside it ended, after "
            f"{loaded_s:.0f} s: give more --rows or fewer --seconds"
        )
    until_s = time.perf_counter() + _LONGEST_JOB_S
    while found["state"] not in ENDED and time.perf_counter() < until_s:
        time.sleep(_LOOK_S)
        found = client.get(path).raise_for_status().json()
    if found["state"] != "done":
        raise NotMeasured(f"the job ended as {found['state']}")
    return found


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m loadtests.bench.beside_job",
        description="Latency of live decisions before, beside and after a job of bulk scoring.",
    )
    parser.add_argument("--per-s", type=float, default=60.0, help="decisions a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each load")
    parser.add_argument("--rows", type=int, default=500_000, help="of the job's file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
