"""A quick reference out of a part: its profile, a sketch, and one model on its own columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import xgboost as xgb
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from bulk.jobs.paths import SAMPLED_ROWS
from loadtests.bench.offline.matching.part import Part
from references.matching.columns.cells import Cells
from references.matching.match import ModelMatch
from references.matching.sample import FileSample
from references.profile.column import ColumnKind, ColumnProfile
from references.profile.measure import measure
from references.profile.sketch import sketch
from references.profile.thinned import thinned
from references.reference import Reference, ReferenceColumn, ReferenceKind, StoredReference
from training.reference.importance import required_columns

_LEARNT = (ColumnKind.NUMBER, ColumnKind.CATEGORY, ColumnKind.CONSTANT)
_HISTORY_IMPORTANCE = {"amount": 0.3, "customer_id": 0.25, "timestamp": 0.2}
_TEST_SHARE = 0.3


@dataclass(frozen=True)
class Fitted:
    """A reference with what it needs to score.

    Attributes:
        model: of the tabular kind; None for history.
    """

    stored: StoredReference
    sketch: pa.Table
    part: Part
    model: xgb.Booster | None


def file_of(table: pa.Table) -> FileSample:
    """Return a table as a file that was sent in: at most 20,000 rows spread over it."""
    profiles = _profiles(table)
    return FileSample(profiles, thinned(table, SAMPLED_ROWS))


def tabular(part: Part) -> Fitted:
    """Fit a model on the columns of a part; its last 30 % are its own test."""
    profiles = _profiles(part.table)
    used = [p for p in profiles if p.kind in _LEARNT]
    x = np.column_stack([values(part.table, p) for p in used])
    cut = int((1 - _TEST_SHARE) * len(x))
    tested = _fit(x[:cut], part.label[:cut])
    metrics = figures(part.label[cut:], tested.predict(xgb.DMatrix(x[cut:])))
    booster = _fit(x, part.label)
    gains = booster.get_score(importance_type="total_gain")
    shares = np.array([np.sum(gains.get(f"f{i}", 0.0)) for i in range(len(used))])
    shares = shares / shares.sum() if shares.sum() else np.full(len(used), 1 / len(used))
    required = required_columns({p.name: float(s) for p, s in zip(used, shares, strict=True)})
    columns = tuple(
        ReferenceColumn(
            p, float(s), p.name in required, p.kind is ColumnKind.CATEGORY and not p.whole
        )
        for p, s in zip(used, shares, strict=True)
    )
    return Fitted(
        _stored(part, "tabular", columns, metrics), _sketched(part.table, used), part, booster
    )


def history(part: Part) -> Fitted:
    """Describe the payments of a part; no model is fitted."""
    names = {column: field for field, column in part.fields.items()}
    table = part.table.select(list(names)).rename_columns(list(names.values()))
    profiles = _profiles(table)
    rest = (1 - sum(_HISTORY_IMPORTANCE.values())) / max(len(profiles) - 3, 1)
    columns = tuple(
        ReferenceColumn(
            p, _HISTORY_IMPORTANCE.get(p.name, rest), required=p.name in _HISTORY_IMPORTANCE
        )
        for p in profiles
        if p.name != "transaction_id"
    )
    stored = _stored(part, "history", columns, {})
    return Fitted(stored, _sketched(table, [c.profile for c in columns]), part, None)


def scores(fitted: Fitted, file: pa.Table, match: ModelMatch) -> NDArray[np.float64]:
    """float64[n]: the model's scores of a file whose columns were matched."""
    assert fitted.model is not None
    known = {c.name: c.profile for c in fitted.stored.reference.columns}
    columns = []
    for column in match.columns:
        if column.file_column is None:
            columns.append(np.full(file.num_rows, np.nan))
            continue
        found = values(file, known[column.column], column.file_column)
        columns.append(found * (column.applied.factor if column.applied else 1.0))
    predicted: NDArray[np.float64] = fitted.model.predict(xgb.DMatrix(np.column_stack(columns)))
    return predicted


def values(table: pa.Table, profile: ColumnProfile, name: str = "") -> NDArray[np.float64]:
    """float64[n]: a column as a model takes it: numbers, or codes of texts."""
    cells = Cells(table, decimal=".", missing=(), most=table.num_rows)
    is_code = profile.kind is ColumnKind.CATEGORY and not profile.whole
    return cells.codes(name or profile.name) if is_code else cells.numbers(name or profile.name)


def figures(label: NDArray[np.bool_], predicted: NDArray[np.float64]) -> dict[str, float]:
    """Average precision and ROC-AUC."""
    if label.all() or not label.any():
        return {}
    return {
        "average_precision": float(average_precision_score(label, predicted)),
        "roc_auc": float(roc_auc_score(label, predicted)),
    }


def _fit(x: NDArray[np.float64], label: NDArray[np.bool_]) -> xgb.Booster:
    parameters = {"max_depth": 4, "eta": 0.2, "objective": "binary:logistic", "nthread": 2}
    return xgb.train(parameters, xgb.DMatrix(x, label.astype(np.float32)), 60)


def _profiles(table: pa.Table) -> tuple[ColumnProfile, ...]:
    return measure({name: table.column(name) for name in table.column_names})


def _sketched(table: pa.Table, profiles: list[ColumnProfile]) -> pa.Table:
    return sketch({p.name: table.column(p.name) for p in profiles}, profiles)


def _stored(
    part: Part, kind: ReferenceKind, columns: tuple[ReferenceColumn, ...], metrics: dict[str, float]
) -> StoredReference:
    reference = Reference(
        name=f"{part.name}-{kind}", owner="", tenant="bench", kind=kind, schema_id="bench",
        columns=columns, label="is_fraud", label_rate=float(part.label.mean()),
        rows=part.table.num_rows, models=(), best="", metrics=metrics,
        created_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    return StoredReference(reference, "0" * 12, "0" * 64, "champion", 0, "file:///")
