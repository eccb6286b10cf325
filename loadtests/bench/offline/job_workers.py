"""What parts without work cost: `python -m loadtests.bench.offline.job_workers actors|data`.

`actors`: the workers of jobs (`deployments/jobs/`). `data`: a map of Ray Data over the numbers of
the parts. Starts a Ray node of its own with two CPUs: an idle machine is needed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import psutil

FEW, MANY = 20, 200
"""Parts of the first job, and of one whose workers are warm."""


def nothing(number: int) -> int:
    """Do the work of a part."""
    return number


async def actors() -> dict[str, Any]:
    """Measure the workers of jobs."""
    import ray

    from deployments.jobs.ray_executor import RayExecutor

    began_s = time.perf_counter()
    executor = RayExecutor(2, ray.get_runtime_context().get_node_id())
    await executor.run(nothing, 0)
    first_s = time.perf_counter() - began_s
    await asyncio.gather(*(executor.run(nothing, number) for number in range(1, FEW)))
    all_s, memory = time.perf_counter() - began_s, memory_mib()
    began_s = time.perf_counter()
    await asyncio.gather(*(executor.run(nothing, number) for number in range(MANY)))
    warm_s = time.perf_counter() - began_s
    await executor.close()
    return report(first_s, all_s, warm_s, memory)


def data() -> dict[str, Any]:
    """Measure Ray Data."""
    began_s = time.perf_counter()
    import ray.data

    def parts(count: int) -> Iterator[object]:
        made = ray.data.range(count, override_num_blocks=count)
        return iter(made.map_batches(lambda batch: batch, batch_size=1).iter_rows())

    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = parts(FEW)
    next(rows)
    first_s = time.perf_counter() - began_s
    _exhaust(rows)
    all_s, memory = time.perf_counter() - began_s, memory_mib()
    began_s = time.perf_counter()
    _exhaust(parts(MANY))
    return report(first_s, all_s, time.perf_counter() - began_s, memory)


def report(first_s: float, all_s: float, warm_s: float, memory: dict[str, int]) -> dict[str, Any]:
    """Return figures, JSON-ready."""
    return {
        "first_part_s": round(first_s, 1),
        "all_parts_s": round(all_s, 1),
        "warm_ms_a_part": round(1000 * warm_s / MANY, 2),
        "memory_mib": memory,
    }


def memory_mib() -> dict[str, int]:
    """Resident memory of this process and of Ray's workers, by name."""
    found = {"driver": psutil.Process().memory_info().rss >> 20}
    for process in psutil.process_iter(["cmdline", "memory_info"]):
        name = next(iter(process.info["cmdline"] or ()), "")
        if name.startswith("ray::"):
            size = process.info["memory_info"].rss >> 20
            found[name] = found.get(name, 0) + size
    return found


def _exhaust(rows: Iterable[object]) -> None:
    for _ in rows:
        pass


def main(kind: str) -> None:
    """Measure one kind, and print the figures."""
    import ray

    path = str(Path(__file__).parents[3])
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env={"env_vars": {"PYTHONPATH": path}},
    )
    print(json.dumps(asyncio.run(actors()) if kind == "actors" else data()))
    ray.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
