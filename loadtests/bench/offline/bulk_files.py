"""What files of jobs cost: `python -m loadtests.bench.offline.bulk_files [--rows N ...]`.

Writes a CSV file of 30 columns for each number of rows, plain and with quotes. For each it opens
and samples the file, splits it into parts, writes a result of eight more columns, and makes CSV of
that, each step in a process of its own. Prints seconds, processor seconds and peak memory. Needs
Linux.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bulk.files.opening import open_upload
from bulk.files.sample import sample_upload
from bulk.files.split import split_upload
from bulk.files.upload import Upload
from bulk.jobs.paths import RESERVED, JobPaths
from bulk.output.csv_file import csv_chunks
from bulk.output.result_writer import ResultWriter

COLUMNS, SCORES = 30, 8
_BLOCK = 10_000
_MAX_UNPACKED = 1 << 40


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    chosen = parser.parse_args()
    print(f"{'rows':>10} {'cells':>7} {'step':<8} {'s':>7} {'cpu s':>7} {'peak MB':>8}")
    for rows in chosen.rows:
        for quoted in (False, True):
            with tempfile.TemporaryDirectory() as made:
                _one(JobPaths(Path(made)), rows, quoted)


def _one(paths: JobPaths, rows: int, quoted: bool) -> None:
    write_csv(paths.upload, rows, quoted)
    for name, step in (("sample", _sample), ("split", _split), ("result", _result), ("csv", _csv)):
        wall_s, cpu_s, peak_mb = _measured(partial(step, paths))
        cells = "quoted" if quoted else "plain"
        print(f"{rows:>10} {cells:>7} {name:<8} {wall_s:>7.2f} {cpu_s:>7.2f} {peak_mb:>8.0f}")


def write_csv(path: Path, rows: int, quoted: bool) -> None:
    """Write a file of 20 columns of numbers and 10 of codes."""
    random = np.random.default_rng(0)
    with path.open("w") as file:
        file.write(",".join(f"c{i}" for i in range(COLUMNS)) + "\n")
        for start in range(0, rows, _BLOCK):
            n = min(_BLOCK, rows - start)
            numbers = random.normal(size=(n, 20)).round(4).astype(str)
            codes = random.integers(0, 1000, (n, 10)).astype(str)
            if quoted:
                codes = np.char.add(np.char.add('"x, ', codes), '"')
            cells = np.hstack([numbers, codes]).tolist()
            file.write("\n".join(",".join(row) for row in cells) + "\n")


def _opened(paths: JobPaths) -> Upload:
    return open_upload(paths.upload, "x.csv", max_unpacked_bytes=_MAX_UNPACKED)


def _sample(paths: JobPaths) -> None:
    sample_upload(_opened(paths), paths, seed=0)


def _split(paths: JobPaths) -> None:
    split_upload(
        _opened(paths),
        paths,
        progress=lambda rows: None,
        add=lambda columns: None,
    )


def _result(paths: JobPaths) -> None:
    writer = ResultWriter(paths.result)
    random = np.random.default_rng(0)
    for part in sorted(paths.part(0).parent.glob("*.parquet")):
        table = pq.read_table(part, partitioning=None)
        table = table.drop_columns([n for n in table.column_names if n in RESERVED])
        scores = {
            f"quorum_{i}": pa.array(random.random(table.num_rows, np.float32))
            for i in range(SCORES)
        }
        writer.add(table, scores)
    writer.commit()


def _csv(paths: JobPaths) -> None:
    with (paths.folder / "result.csv").open("wb") as file:
        file.writelines(csv_chunks(paths.result))


def _measured(step: Callable[[], None]) -> tuple[float, float, float]:
    """Seconds, processor seconds and peak megabytes of a step in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(step, sender))
    process.start()
    measured: tuple[float, float, float] = receiver.recv()
    process.join()
    return measured


def _run(step: Callable[[], None], sender: object) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    step()
    told = (time.perf_counter() - began, time.process_time() - cpu, _peak_mb())
    sender.send(told)  # type: ignore[attr-defined]


def _peak_mb() -> float:
    """Peak memory of this process. `getrusage` would count its parent's before it began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


if __name__ == "__main__":
    main()
