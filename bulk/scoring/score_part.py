"""Scoring one part of a file: a step that any process can do, and repeat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from bulk.jobs.paths import RESERVED, JobPaths
from bulk.scoring.anomaly.file_forest import file_forest
from bulk.scoring.history.replay import replayed_scores
from bulk.scoring.part_cells import PartCells, cells_of
from bulk.scoring.plan import PlannedModel, ScoringPlan
from bulk.scoring.score_file import (
    ANOMALY,
    ANOMALY_REFERENCE,
    COUNTS,
    MODEL,
    Arrays,
    read_scores,
    write_scores,
)
from bulk.scoring.summary.drift import drift_counts, drifting
from bulk.scoring.tabular_scorer import TabularScorer


def score_part(paths: JobPaths, number: int, plan: ScoringPlan) -> int:
    """Score a part, unless it has been scored.

    Of a plan with models of history, `replay_file` must have run before.

    Args:
        paths: of the job; the sample and the part are there.
        number: of the part.
        plan: what scores.

    Returns:
        The number of its rows.

    Raises:
        ArtifactRefused: a model is damaged.
        FileNotFoundError: the part, or the scores of the replay, are not there.
    """
    part = paths.part(number)
    rows = int(pq.read_metadata(part).num_rows)
    target = paths.scores(number)
    if _wanted(plan) <= (read_scores(target, rows) or {}).keys():
        return rows
    cells = _cells(part, rows, plan)
    arrays: Arrays = {ANOMALY: file_forest(plan, paths.sample).score(cells).astype(np.float32)}
    for model in plan.tabular:
        arrays |= _scores(model, cells, anomaly=model is plan.models[0])
    if plan.history:
        arrays |= replayed_scores(paths, number, rows)
    for model in plan.models:
        arrays[f"{COUNTS}{model.reference}"] = drift_counts(model, cells)
    write_scores(target, arrays)
    return rows


def _wanted(plan: ScoringPlan) -> set[str]:
    """What the scores of a part hold at least; those of another plan may hold less."""
    references = [model.reference for model in plan.models]
    found = {ANOMALY, *(f"{kind}{name}" for kind in (MODEL, COUNTS) for name in references)}
    return found | ({ANOMALY_REFERENCE} if plan.models[0].anomaly is not None else set())


def _scores(model: PlannedModel, cells: PartCells, anomaly: bool) -> Arrays:
    scorer = TabularScorer(model)
    values = scorer.matrix(cells)
    found: Arrays = {f"{MODEL}{model.reference}": scorer.score(values).astype(np.float32)}
    unusual = scorer.anomaly(values) if anomaly else None
    if unusual is not None:
        found[ANOMALY_REFERENCE] = unusual.astype(np.float32)
    return found


def _cells(part: Path, rows: int, plan: ScoringPlan) -> PartCells:
    """The cells of a part that the plan's models and forest look at."""
    names = {column.name for column in plan.columns}
    for model in plan.models:
        looked_at: Sequence[str | None] = (
            [c.file_column for c in model.columns]
            if model.kind == "tabular"
            else [c.file_column for c in drifting(model)]
        )
        names.update(name for name in looked_at if name is not None)
    present = [n for n in pq.read_schema(part).names if n in names and n not in RESERVED]
    if not present:
        return PartCells({}, rows, plan.decimal, plan.missing)
    table = pq.read_table(part, columns=present, partitioning=None)
    return cells_of(table, names, plan.decimal, plan.missing)
