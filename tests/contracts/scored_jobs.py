"""A job, small enough for unit tests: its models are logistics of their first column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bulk.jobs.paths import LINE, ROW, JobPaths
from bulk.scoring.plan import (
    FileColumn,
    PlannedArtifact,
    PlannedColumn,
    PlannedModel,
    ScoringPlan,
)
from features.definitions import NAMES, SCHEMA_ID
from references.profile.column import ColumnKind, ColumnProfile
from tests.contracts.artifacts import tiny_artifact

KNOTS = ((0.0, 0.0), (1.0, 1.0))


def profile(name: str, kind: ColumnKind = ColumnKind.NUMBER, **more: Any) -> ColumnProfile:
    """A profile of a hundred rows."""
    return ColumnProfile(name, kind, rows=100, filled=100, **more)


def column(name: str, file_column: str | None = "", **more: Any) -> PlannedColumn:
    """A number of the reference, by default from the column of the same name."""
    kind = ColumnKind.CATEGORY if more.get("categorical") else ColumnKind.NUMBER
    taken = name if file_column == "" else file_column
    return PlannedColumn(more.pop("profile", profile(name, kind)), taken, **more)


def tabular_model(
    root: Path,
    columns: Sequence[PlannedColumn],
    *,
    reference: str = "cards@0123456789ab",
    slope: float = 1.0,
    anomaly: bool = False,
    **more: Any,
) -> PlannedModel:
    """A model whose probability is the logistic of slope times its first column."""
    names = tuple(c.name for c in columns)
    made = {
        variant: tiny_artifact(
            root,
            variant,
            n_features=len(names),
            schema_id="tab-000000000000",
            slope=slope,
            knots=KNOTS,
            columns=names,
        )
        for variant in (f"{reference.partition('@')[0]}-xgboost", "isolation")
    }
    (best, of_anomaly) = (
        PlannedArtifact(variant, digest, str(root / variant / version))
        for variant, (version, digest) in made.items()
    )
    return planned(reference, "tabular", columns, best, of_anomaly if anomaly else None, **more)


def history_model(
    root: Path, fields: Mapping[str, str], *, reference: str = "cards@0123456789ab", **more: Any
) -> PlannedModel:
    """A model whose probability is the logistic of the first feature, the amount's."""
    version, digest = tiny_artifact(
        root, "xgboost", n_features=len(NAMES), schema_id=SCHEMA_ID, slope=0.01, knots=KNOTS
    )
    best = PlannedArtifact("xgboost", digest, str(root / "xgboost" / version))
    columns = [column(name, file_column) for name, file_column in fields.items()]
    return planned(reference, "history", columns, best, None, **more)


def planned(
    reference: str,
    kind: Any,
    columns: Sequence[PlannedColumn],
    model: PlannedArtifact,
    anomaly: PlannedArtifact | None,
    **more: Any,
) -> PlannedModel:
    """A planned model, good and similar unless said otherwise."""
    values: dict[str, Any] = {
        "weight": 1.0,
        "similarity": 0.9,
        "domain_auc": 0.6,
        "label_rate": 0.1,
        "metrics": {"roc_auc": 0.95, "average_precision": 0.7},
        "missing": (),
        **more,
    }
    return PlannedModel(
        reference=reference,
        kind=kind,
        columns=tuple(columns),
        model=model,
        anomaly=anomaly,
        **values,
    )


def plan(models: Sequence[PlannedModel], columns: Sequence[str] = (), **more: Any) -> ScoringPlan:
    """A plan; `columns` are the numbers that the file's own forest looks at."""
    looked_at = tuple(FileColumn(name, ColumnKind.NUMBER) for name in columns)
    return ScoringPlan(tuple(models), looked_at, tenant="acme", **more)


def write_job(folder: Path, table: pa.Table, rows_per_part: int = 1000) -> JobPaths:
    """Cut a table into parts, as reading a file does, and sample it whole. A text file's header is
    line 1."""
    paths = JobPaths(folder)
    (folder / "parts").mkdir(parents=True)
    for number, start in enumerate(range(0, table.num_rows, rows_per_part)):
        part = table.slice(start, rows_per_part)
        rows = pa.array(range(start + 1, start + part.num_rows + 1), pa.int64())
        lines = pa.array(range(start + 2, start + part.num_rows + 2), pa.int64())
        numbered = part.add_column(0, LINE, lines).add_column(0, ROW, rows)
        pq.write_table(numbered, paths.part(number))
    pq.write_table(table, paths.sample)
    return paths
