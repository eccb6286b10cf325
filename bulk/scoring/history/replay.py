"""A file's payments, replayed through the features that serve, and scored on the way.

Features of a payment depend on all payments before it, so that one process does a whole file. Its
memory grows with the customers, merchants, devices and accounts that are still to be seen again (a
few kilobytes each), and not with the rows.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from bulk.jobs.cancelled import Cancelled
from bulk.jobs.paths import JobPaths
from bulk.scoring.history.last_seen import LastSeen
from bulk.scoring.history.payment_layout import converted, payment_layout
from bulk.scoring.history.payments import (
    PLACE,
    SCHEMA,
    batches,
    read_parts,
    sampled_edges,
)
from bulk.scoring.history.rejected_rows import rejected_rows, write_rejected
from bulk.scoring.history.time_buckets import TimeBuckets
from bulk.scoring.loaded_models import loaded
from bulk.scoring.plan import PlannedArtifact, ScoringPlan
from bulk.scoring.score_file import ANOMALY_REFERENCE, MODEL, Arrays, read_scores, write_scores
from features.backfill import backfill
from features.store.memory import MemoryStore

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""

MOST_ERRORS = 100_000
"""Rejected rows that are listed; all are counted."""


def replay_file(
    paths: JobPaths,
    plan: ScoringPlan,
    progress: Progress = lambda _done, _all: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> int:
    """Score all parts with the plan's models of history, unless that has been done.

    The file's rows become payments of the plan's tenant in the order of time, without any history
    from elsewhere. Rows that are no payments get no score; `paths.replay_errors` lists them.

    Args:
        paths: of the job; the sample and all parts are there.
        plan: with at least one model of kind `history`.
        progress: see `Progress`.
        cancelled: asked now and then.

    Returns:
        The number of rows that are no payments.

    Raises:
        InvalidInput: no column is the time or the amount.
        LayoutInvalid: the columns cannot be read as payments.
        ArtifactRefused, SchemaMismatch: a model is damaged, or takes other features.
        Cancelled: `cancelled` said so.
    """
    numbers = paths.part_numbers
    sizes = [int(pq.read_metadata(paths.part(number)).num_rows) for number in numbers]
    if _is_done(paths, plan, numbers, sizes):
        return rejected_rows(paths.replay_errors)
    shutil.rmtree(paths.replay, ignore_errors=True)
    paths.replay.mkdir(parents=True)
    rows = sum(sizes)
    convert = partial(converted, model=plan.history[0], decimal=plan.decimal, missing=plan.missing)
    sample = paths.replay / "sample.parquet"
    pq.write_table(convert(pq.read_table(paths.sample, partitioning=None)), sample)
    layout = payment_layout(plan.history[0], sample, plan.decimal)
    edges = sampled_edges(sample, layout, rows)

    def told(done: int) -> None:
        if cancelled():
            raise Cancelled("the job was cancelled")
        progress(done // 2, rows)

    seen = LastSeen()
    with TimeBuckets(paths.replay, edges, SCHEMA) as buckets:
        rejected = read_parts(paths, layout, convert, buckets, seen, told, MOST_ERRORS)
    scores = _scores(plan, paths.replay, rows)
    _replay(plan, buckets, seen, scores, lambda n: told(rows + n))
    start = 0
    for number, size in zip(numbers, sizes, strict=True):
        part = {name: np.array(column[start : start + size]) for name, column in scores.items()}
        write_scores(paths.replayed(number), part)
        start += size
    write_rejected(paths.replay_errors, rejected.bad, rejected.rows, layout)
    shutil.rmtree(paths.replay, ignore_errors=True)
    return rejected.rows


def replayed_scores(paths: JobPaths, number: int, rows: int) -> Arrays:
    """What `replay_file` wrote for a part of `rows` rows.

    Raises:
        FileNotFoundError: it has not run.
    """
    found = read_scores(paths.replayed(number), rows)
    if found is None:
        raise FileNotFoundError(f"part {number} has not been replayed")
    return found


def _scores(plan: ScoringPlan, folder: Path, rows: int) -> Arrays:
    """float32[rows] for each model, NaN so far.

    They are in files, of which the system keeps in memory what it has room for.
    """
    found: Arrays = {}
    for i, name in enumerate(_asked(plan)):
        file = folder / f"{i}.f32"
        _reserve(file, 4 * max(rows, 1))
        column = np.memmap(file, np.float32, "r+", shape=(max(rows, 1),))
        column[:] = np.nan
        found[name] = column
    return found


def _reserve(file: Path, size: int) -> None:
    """Make a file of so many bytes, or raise OSError: in the middle of a replay, a full disk would
    end the process without a word."""
    with file.open("wb") as made:
        os.posix_fallocate(made.fileno(), 0, size)


def _replay(
    plan: ScoringPlan,
    buckets: TimeBuckets,
    seen: LastSeen,
    scores: Arrays,
    done: Callable[[int], None],
) -> None:
    """Put the scores of all payments into `scores`, in the order of the file."""
    asked = _asked(plan)
    store, before = MemoryStore(), 0
    for number, table in enumerate(buckets.tables()):
        places, start = table[PLACE].to_numpy(), 0
        for features in backfill(batches(table, plan.tenant), store=store):
            here = places[start : start + len(features)]
            for name, artifact in asked.items():
                scorer = loaded(artifact)
                scores[name][here] = scorer.score(features.values, features.schema_id)
            start += len(features)
            done(before + start)
        before += table.num_rows
        for entity, ids in seen.ended(number).items():
            store.forget(entity, [(plan.tenant, one) for one in ids])


def _asked(plan: ScoringPlan) -> dict[str, PlannedArtifact]:
    """Name of the scores -> what makes them."""
    asked = {f"{MODEL}{model.reference}": model.model for model in plan.history}
    best = plan.models[0]
    if best.kind == "history" and best.anomaly is not None:
        asked[ANOMALY_REFERENCE] = best.anomaly
    return asked


def _is_done(paths: JobPaths, plan: ScoringPlan, numbers: list[int], sizes: list[int]) -> bool:
    """Whether an earlier run has left the scores of all that the plan asks, for every part."""
    wanted = _asked(plan).keys()
    return paths.replay_errors.exists() and all(
        wanted <= (read_scores(paths.replayed(number), size) or {}).keys()
        for number, size in zip(numbers, sizes, strict=True)
    )
