"""A file's payments, replayed through the features that serve, and scored on the way.

Features of a payment depend on all payments before it, so that one process does a whole file. Its
memory grows with the customers, merchants, devices and accounts that are still to be seen again (a
few kilobytes each), and not with the rows.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from bulk.jobs.paths import JobPaths
from bulk.scoring.history.last_seen import LastSeen
from bulk.scoring.history.payment_layout import converted, payment_layout
from bulk.scoring.history.payments import (
    PLACE,
    SCHEMA,
    Rejected,
    batches,
    read_parts,
    sampled_edges,
)
from bulk.scoring.history.rejected_rows import rejected_rows, write_rejected
from bulk.scoring.history.time_buckets import TimeBuckets
from bulk.scoring.loaded_models import loaded
from bulk.scoring.plan import PlannedArtifact, PlannedModel, ScoringPlan
from bulk.scoring.score_file import ANOMALY_REFERENCE, MODEL, Arrays, read_scores, write_scores
from features.backfill import backfill
from features.store.memory import MemoryStore
from fraud.payment.batch import FeatureBatch, Float32, Int64

MOST_ERRORS = 100_000
"""Rejected rows that are listed; all are counted."""


def replay_file(
    paths: JobPaths, plan: ScoringPlan, progress: Callable[[int], None] = lambda _: None
) -> int:
    """Score all parts with the plan's models of history, unless that has been done.

    The file's rows become payments of the plan's tenant in the order of time, without any history
    from elsewhere. Models that take the same columns, converted in the same way, share a replay.
    Rows that are no payments get no score; `paths.replay_errors` lists them.

    Args:
        paths: of the job; the sample and all parts are there.
        plan: with at least one model of kind `history`.
        progress: called with the rows done so far, now and then.

    Returns:
        The number of rows that are no payments: of the model with the most.

    Raises:
        InvalidInput: no column is the time or the amount, or holds times.
        LayoutInvalid: the columns cannot be read as payments.
        ArtifactRefused, SchemaMismatch: a model is damaged, or takes other features.
    """
    numbers = paths.part_numbers
    sizes = [int(pq.read_metadata(paths.part(number)).num_rows) for number in numbers]
    if _is_done(paths, plan, numbers, sizes):
        return rejected_rows(paths.replay_errors)
    shutil.rmtree(paths.replay, ignore_errors=True)
    rows, groups = sum(sizes), _groups(plan)
    replays = [
        _Replay(paths, plan, models, paths.replay / str(i)) for i, models in enumerate(groups)
    ]
    for i, replay in enumerate(replays):

        def told(done: int, before: int = 2 * rows * i) -> None:
            progress((before + done) // (2 * len(groups)))

        replay.run(rows, told)
    scores = {name: column for replay in replays for name, column in replay.scores.items()}
    start = 0
    for number, size in zip(numbers, sizes, strict=True):
        part = {name: np.array(column[start : start + size]) for name, column in scores.items()}
        write_scores(paths.replayed(number), part)
        start += size
    rejected = max(replay.rejected.rows for replay in replays)
    found = [(replay.rejected.bad, replay.layout) for replay in replays]
    write_rejected(paths.replay_errors, found, rejected)
    shutil.rmtree(paths.replay, ignore_errors=True)
    return rejected


def replayed_scores(paths: JobPaths, number: int, rows: int) -> Arrays:
    """What `replay_file` wrote for a part of `rows` rows.

    Raises:
        FileNotFoundError: it has not run.
    """
    found = read_scores(paths.replayed(number), rows)
    if found is None:
        raise FileNotFoundError(f"part {number} has not been replayed")
    return found


def _groups(plan: ScoringPlan) -> list[list[PlannedModel]]:
    """The models of history by the columns that they take: features of a column that a model's
    training did not have would be new to it."""
    groups: dict[tuple[tuple[str, str, float], ...], list[PlannedModel]] = {}
    for model in plan.history:
        taken = sorted((c.name, c.file_column, c.factor) for c in model.columns if c.file_column)
        groups.setdefault(tuple(taken), []).append(model)
    return list(groups.values())


class _Replay:
    """A replay of a file by one choice of columns.

    Args:
        paths, plan: of the job.
        models: that share the choice.
        folder: does not exist yet.

    Attributes:
        layout: what the file's rows are read by.
        rejected: rows that are no payments.
        scores: name -> float32[rows], in the order of the file.
    """

    def __init__(
        self, paths: JobPaths, plan: ScoringPlan, models: Sequence[PlannedModel], folder: Path
    ) -> None:
        folder.mkdir(parents=True)
        self._paths, self._plan, self._folder = paths, plan, folder
        self._convert = partial(
            converted, model=models[0], decimal=plan.decimal, missing=plan.missing
        )
        self._asked = _asked(plan, models)
        self._sample = folder / "sample.parquet"
        pq.write_table(self._convert(pq.read_table(paths.sample, partitioning=None)), self._sample)
        self.layout = payment_layout(models[0], self._sample, plan.decimal)
        self.rejected = Rejected()
        self.scores: Arrays = {}

    def run(self, rows: int, done: Callable[[int], None]) -> None:
        """Read and score all payments.

        Args:
            rows: of the file.
            done: called with rows read, then with rows read and rows scored.
        """
        seen, edges = LastSeen(), sampled_edges(self._sample, self.layout, rows)
        with TimeBuckets(self._folder, edges, SCHEMA) as buckets:
            self.rejected = read_parts(
                self._paths, self.layout, self._convert, buckets, seen, done, MOST_ERRORS
            )
        self.scores = {
            name: _unknown(self._folder / f"{i}.f32", rows) for i, name in enumerate(self._asked)
        }
        self._score(buckets, seen, lambda n: done(rows + n))

    def _score(self, buckets: TimeBuckets, seen: LastSeen, done: Callable[[int], None]) -> None:
        tenant, store, before = self._plan.tenant, MemoryStore(), 0
        for number, pieces in enumerate(buckets.spans()):
            for table in pieces:
                places, start = table[PLACE].to_numpy(), 0
                for features in backfill(batches(table, tenant), store=store):
                    self._take(features, places[start : start + len(features)])
                    start += len(features)
                    done(before + start)
                before += table.num_rows
            for entity, ids in seen.ended(number).items():
                store.forget(entity, [(tenant, one) for one in ids])

    def _take(self, features: FeatureBatch, places: Int64) -> None:
        """Score payments that stand at `places` of the file, int64[n]."""
        for name, artifact in self._asked.items():
            found = loaded(artifact).score(features.values, features.schema_id)
            self.scores[name][places] = found


def _unknown(path: Path, rows: int) -> Float32:
    """float32[rows], NaN so far, in a file: of it the system keeps in memory what it has room
    for."""
    _reserve(path, 4 * max(rows, 1))
    column = np.memmap(path, np.float32, "r+", shape=(max(rows, 1),))
    column[:] = np.nan
    return column


def _reserve(file: Path, size: int) -> None:
    """Make a file of so many bytes, or raise OSError: in the middle of a replay, a full disk would
    end the process without a word."""
    with file.open("wb") as made:
        os.posix_fallocate(made.fileno(), 0, size)


def _asked(plan: ScoringPlan, models: Sequence[PlannedModel]) -> dict[str, PlannedArtifact]:
    """Name of the scores -> what makes them."""
    asked = {f"{MODEL}{model.reference}": model.model for model in models}
    best = plan.models[0]
    if best in models and best.anomaly is not None:
        asked[ANOMALY_REFERENCE] = best.anomaly
    return asked


def _is_done(paths: JobPaths, plan: ScoringPlan, numbers: list[int], sizes: list[int]) -> bool:
    """Whether an earlier run has left the scores of all that the plan asks, for every part."""
    wanted = _asked(plan, plan.history).keys()
    return paths.replay_errors.exists() and all(
        wanted <= (read_scores(paths.replayed(number), size) or {}).keys()
        for number, size in zip(numbers, sizes, strict=True)
    )
