"""The most unusual rows of a file, and what is unusual about them, without any of their values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow.parquet as pq

from bulk.jobs.paths import LINE, ROW, JobPaths
from bulk.scoring.anomaly.file_forest import file_forest
from bulk.scoring.combining.levels import riskiest
from bulk.scoring.part_cells import cells_of
from bulk.scoring.plan import ScoringPlan
from fraud.payment.batch import Float32, Float64, Int64

ROWS = 20
COLUMNS = 3


def unusual_rows(
    paths: JobPaths, plan: ScoringPlan, anomaly: Float32, probability: Float32, starts: Int64
) -> list[dict[str, Any]]:
    """The most unusual rows, the first one first, JSON-ready.

    Each has row and line (numbers in the file), anomaly, probability (None if unknown) and columns:
    the columns whose values fewest other rows share, with that share of the file's rows.

    Args:
        anomaly, probability: float32[n], of all rows.
        starts: int64[parts]: the place of each part's first row.
    """
    places = riskiest(anomaly, ROWS)
    numbers = paths.part_numbers
    found = []
    for i in np.unique(np.searchsorted(starts, places, side="right") - 1).tolist():
        stop = starts[i + 1] if i + 1 < len(starts) else len(anomaly)
        here = places[(places >= starts[i]) & (places < stop)]
        found += _of_part(paths, plan, numbers[i], here - starts[i], here, anomaly, probability)
    return sorted(found, key=lambda one: (-one["anomaly"], one["row"]))


def _of_part(
    paths: JobPaths,
    plan: ScoringPlan,
    number: int,
    rows: Int64,
    places: Int64,
    anomaly: Float32,
    probability: Float32,
) -> list[dict[str, Any]]:
    names = {ROW, LINE, *(column.name for column in plan.columns)}
    present = [n for n in pq.read_schema(paths.part(number)).names if n in names]
    table = pq.read_table(paths.part(number), columns=present, partitioning=None).take(rows)
    forest = file_forest(plan, paths.sample)
    shares = forest.shares(cells_of(table, names - {ROW, LINE}, plan.decimal, plan.missing))
    return [
        {
            "row": row,
            "line": line,
            "anomaly": round(float(anomaly[place]), 4),
            "probability": _known(float(probability[place])),
            "columns": _rarest(forest.names, share),
        }
        for row, line, place, share in zip(
            table[ROW].to_pylist(), table[LINE].to_pylist(), places.tolist(), shares, strict=True
        )
    ]


def _rarest(names: tuple[str, ...], share: Float64) -> list[dict[str, Any]]:
    order = np.argsort(share, kind="stable")[:COLUMNS]
    return [
        {"column": names[i], "share": round(float(share[i]), 5)}
        for i in order.tolist()
        if not np.isnan(share[i])
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 6)
