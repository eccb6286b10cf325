"""What bulk scoring takes and what it is worth: `python -m loadtests.bench.offline.bulk_scoring`.

`--speed`: rows of 30 columns by three models, in two processes as on a machine of two cores: time,
and the most memory of one process. `--quality SET`: average precision of the ensemble beside each
model alone and the isolation forest of the file, on labels that nobody sees while scoring. Sets are
read from `--data`, the folder whose README describes them.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from bulk.jobs.options import JobOptions
from bulk.jobs.paths import LINE, ROW, ROWS_PER_PART, SAMPLED_ROWS, JobPaths
from bulk.scoring.finish import finish
from bulk.scoring.history.replay import replay_file
from bulk.scoring.plan import FileColumn, PlannedModel, ScoringPlan
from bulk.scoring.score_part import score_part
from data.layout.layout import load_layout
from data.load.payment_reader import read_payments
from features.backfill import backfill
from loadtests.bench.offline.bulk_references import fit_reference, number_profiles
from references.profile.column import ColumnKind, ColumnProfile
from training.metrics.counts import average_precision_by_counts, roc_auc_by_counts
from training.sets.schema import FeatureSchema

Int8 = NDArray[np.int8]
_PROCESSES = 2
_COLUMNS = [*(f"V{i}" for i in range(1, 29)), "Amount"]
_FIELDS = ("customer_id", "timestamp", "amount", "merchant_id", "counterparty_id")


def speed(folder: Path, data: Path, rows: int) -> dict[str, Any]:
    """Score `rows` rows of 30 columns with three models."""
    table, label = _ulb(data)
    models = _ulb_models(folder, table, label, table.num_rows // 2)
    paths = _large_job(folder / "job", table, rows)
    plan = _plan(models, [*_COLUMNS, "Time"])
    began_s, used_s = time.perf_counter(), _children_cpu_s()
    memory = _score_parts(paths, plan)
    scored_s, used_s = time.perf_counter() - began_s, _children_cpu_s() - used_s
    began_s, before_s = time.perf_counter(), time.process_time()
    finish(paths, plan, JobOptions.model_validate({}))
    return {
        "rows": rows,
        "columns": len(_own_columns(paths)),
        "models": len(models),
        "scored_s": round(scored_s, 1),
        "scored_cpu_s": round(used_s, 1),
        "finished_s": round(time.perf_counter() - began_s, 1),
        "finished_cpu_s": round(time.process_time() - before_s, 1),
        "worker_mib": max(memory),
        "finish_mib": _peak_mib(),
    }


def _own_columns(paths: JobPaths) -> list[str]:
    """The file's own columns in a part."""
    return [n for n in pq.read_schema(paths.part(0)).names if n not in (ROW, LINE)]


def quality_ulb(folder: Path, data: Path) -> dict[str, Any]:
    """Models of three parts of the first day, on the second day."""
    table, label = _ulb(data)
    half = table.num_rows // 2
    models = _ulb_models(folder, table, label, half)
    paths = _job(folder / "job", _texts(table.slice(half)))
    return _judged(paths, _plan(models, _COLUMNS), label[half:])


def quality_handbook(folder: Path, data: Path) -> dict[str, Any]:
    """Models of April and May, June, and July, on August without its past."""
    path = data / "handbook_raw/dev_2018-04-01_to_2018-08-14.parquet"
    months = {"spring": ("2018-04-01", "2018-06-01"), "june": ("2018-06-01", "2018-07-01"),
              "july": ("2018-07-01", "2018-08-01")}  # fmt: skip
    file = pq.read_table(path)
    when = file["TX_DATETIME"].cast(pa.timestamp("ms"))
    models = []
    for name, (start, stop) in months.items():
        rows = file.filter(_between(when, start, stop))
        models.append(_history_model(folder, name, rows, "handbook"))
    august = file.filter(_between(when, "2018-08-01", "2019-01-01"))
    label = august["TX_FRAUD"].to_numpy().astype(np.int8)
    kept = ["CUSTOMER_ID", "TX_DATETIME", "TX_AMOUNT", "TERMINAL_ID"]
    paths = _job(folder / "job", august.select(kept))
    return _judged(paths, _plan(models, ["TX_AMOUNT"]), label)


def quality_amlsim(folder: Path, data: Path) -> dict[str, Any]:
    """Leave one set out: models of the two others."""
    names = ("20K_cycle200", "20K_fanin200", "20K_fanin200cycle200")
    found = {}
    for left in names:
        here = folder / left
        models = [
            _history_model(here, name.lower(), _amlsim_path(data, name), "amlsim")
            for name in names
            if name != left
        ]
        read = read_payments(_amlsim_path(data, left), "amlsim")
        label = np.zeros(len(read), np.int8)
        label[read.order] = read.label
        file = pq.read_table(_amlsim_path(data, left))
        file = file.select(["sourceNodeId", "targetNodeId", "time", "value"])
        paths = _job(here / "job", file)
        found[left] = _judged(paths, _plan(models, ["value"]), label)
    return found


def _amlsim_path(data: Path, name: str) -> Path:
    return data / f"amlsim_20k/{name}_transactions.parquet"


def _ulb(data: Path) -> tuple[pa.Table, Int8]:
    table = pq.read_table(data / "ulb_creditcard/creditcard_f32.parquet")
    label = table["Class"].cast(pa.int8()).to_numpy()
    return table.drop_columns(["Class"]), label


def _ulb_models(folder: Path, table: pa.Table, label: Int8, rows: int) -> list[PlannedModel]:
    values = np.stack([table[n].to_numpy().astype(np.float32) for n in _COLUMNS], axis=1)
    schema = FeatureSchema.tabular(_COLUMNS, [])
    models = []
    for i in range(3):
        here = slice(i * rows // 3, (i + 1) * rows // 3)
        models.append(
            fit_reference(
                folder,
                f"ulb-{i + 1}",
                values[here],
                label[here],
                schema,
                kind="tabular",
                profiles=number_profiles(_COLUMNS, values[here]),
                mapped={name: name for name in _COLUMNS},
                weight=1 / 3,
            )
        )
    return models


def _history_model(folder: Path, name: str, rows: pa.Table | Path, layout: str) -> PlannedModel:
    if isinstance(rows, Path):
        path = rows
    else:
        path = folder / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, path)
    read = read_payments(path, layout)
    values = np.concatenate([f.values for f in backfill(read.batches())])
    mapped = _file_columns(layout)
    return fit_reference(
        folder,
        name,
        values,
        np.maximum(read.label, 0).astype(np.int8),
        FeatureSchema.served(),
        kind="history",
        profiles=[ColumnProfile(f, ColumnKind.NUMBER, len(values), 0) for f in mapped],
        mapped=mapped,
        weight=1.0,
    )


def _file_columns(name: str) -> dict[str, str]:
    """Canonical field -> the file's column, by a layout."""
    layout = load_layout(name)
    found = {f: layout.text[f].columns[0] for f in _FIELDS if f in layout.text}
    return {**found, "timestamp": layout.timestamp.columns[0], "amount": layout.amount.column}


def _plan(models: Sequence[PlannedModel], columns: Sequence[str]) -> ScoringPlan:
    share = 1 / len(models)
    return ScoringPlan(
        tuple(replace(model, weight=share) for model in models),
        tuple(FileColumn(name, ColumnKind.NUMBER) for name in columns),
        tenant="bench",
    )


def _judged(paths: JobPaths, plan: ScoringPlan, label: Int8) -> dict[str, Any]:
    """Score a job and compare its result with the labels."""
    if plan.history:
        replay_file(paths, plan)
    for number in paths.part_numbers:
        score_part(paths, number, plan)
    told = finish(paths, plan, JobOptions.model_validate({}))
    result = pq.read_table(paths.result)
    measured = ("quorum_probability", "quorum_anomaly", "quorum_score")
    names = [name for name in result.column_names if name.startswith(measured)]
    columns = {name: result[name].to_numpy(zero_copy_only=False) for name in names}
    fraud = label.astype(np.float32)
    figures = {name.removeprefix("quorum_"): _figures(fraud, v) for name, v in columns.items()}
    return {
        "rows": len(label),
        "rate": round(float(fraud.mean()), 5),
        "figures": figures,
        "fraud_rate": told["fraud_rate"],
        "recalibration": told["recalibration"],
        "agreement": told["agreement"],
    }


def _figures(fraud: NDArray[np.float32], score: NDArray[Any]) -> dict[str, float]:
    known = ~np.isnan(score)
    kept, label = score[known].astype(np.float64), fraud[known]
    return {
        "average_precision": round(average_precision_by_counts(label, kept), 4),
        "roc_auc": round(roc_auc_by_counts(label, kept), 4),
        "mean": round(float(kept.mean()), 5),
    }


def _between(when: pa.ChunkedArray, start: str, stop: str) -> pa.ChunkedArray:
    bounds = [pa.scalar(np.datetime64(day, "ms"), pa.timestamp("ms")) for day in (start, stop)]
    return pc.and_(pc.greater_equal(when, bounds[0]), pc.less(when, bounds[1]))


def _texts(table: pa.Table) -> pa.Table:
    """A table as it comes out of a CSV file."""
    return pa.table({name: table[name].cast(pa.string()) for name in table.column_names})


def _job(folder: Path, table: pa.Table) -> JobPaths:
    paths = JobPaths(folder)
    (folder / "parts").mkdir(parents=True)
    for number, start in enumerate(range(0, table.num_rows, ROWS_PER_PART)):
        _write_part(paths, number, start, table.slice(start, ROWS_PER_PART))
    step = max(1, table.num_rows // SAMPLED_ROWS)
    pq.write_table(table.take(np.arange(0, table.num_rows, step)[:SAMPLED_ROWS]), paths.sample)
    return paths


def _large_job(folder: Path, table: pa.Table, rows: int) -> JobPaths:
    """A job of any number of rows: the table again and again, slightly changed."""
    paths = JobPaths(folder)
    (folder / "parts").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number, start in enumerate(range(0, rows, ROWS_PER_PART)):
        places = (np.arange(start, min(start + ROWS_PER_PART, rows))) % table.num_rows
        part = table.take(places)
        changed: Mapping[str, pa.Array] = {
            name: pa.array(np.round(part[name].to_numpy() * rng.uniform(0.999, 1.001), 6))
            for name in part.column_names
        }
        texts = _texts(pa.table(changed))
        _write_part(paths, number, start, texts)
        if number == 0:
            pq.write_table(texts.slice(0, SAMPLED_ROWS), paths.sample)
    return paths


def _write_part(paths: JobPaths, number: int, start: int, rows: pa.Table) -> None:
    numbers = pa.array(np.arange(start + 1, start + rows.num_rows + 1))
    rows = rows.add_column(0, LINE, pc.add(numbers, 1)).add_column(0, ROW, numbers)
    pq.write_table(rows, paths.part(number), compression="zstd")


def _score_parts(paths: JobPaths, plan: ScoringPlan) -> list[int]:
    """Score all parts; the most memory of each process, in MiB."""
    plan.write(paths.folder / "plan.json")
    numbers = paths.part_numbers
    shares = [numbers[i::_PROCESSES] for i in range(_PROCESSES)]
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        return list(pool.map(_score_share, [paths.folder] * _PROCESSES, shares))


def _score_share(folder: Path, numbers: list[int]) -> int:
    paths = JobPaths(folder)
    plan = ScoringPlan.read(folder / "plan.json")
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    for number in numbers:
        score_part(paths, number, plan)
    return _peak_mib()


def _children_cpu_s() -> float:
    """Processor time of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


_SETS: dict[str, Callable[[Path, Path], dict[str, Any]]] = {
    "ulb": quality_ulb,
    "handbook": quality_handbook,
    "amlsim": quality_amlsim,
}


def main() -> None:
    """Print figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--speed", type=int, metavar="ROWS", default=0)
    parser.add_argument("--quality", choices=sorted(_SETS), nargs="*", default=[])
    args = parser.parse_args()
    if not args.data.is_dir():
        sys.exit(f"{args.data}: no such folder")
    with tempfile.TemporaryDirectory(prefix="quorum-bench-") as made:
        if args.speed:
            print(json.dumps({"speed": speed(Path(made) / "speed", args.data, args.speed)}))
        for name in args.quality:
            print(json.dumps({name: _SETS[name](Path(made) / name, args.data)}, indent=1))


if __name__ == "__main__":
    main()
