"""References for tests: small, and as a training would leave them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from fraud.variant import HOUSE
from references.profile.column import ColumnProfile
from references.profile.measure import measure
from references.profile.sketch import sketch
from references.reference import Reference, ReferenceColumn, ReferenceModel


def small_table(rows: int = 400, seed: int = 0) -> dict[str, pa.Array]:
    """Texts of a table with an amount, a time, a channel and a customer."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.integers(0, 28, rows))
    return {
        "amount": pa.array([f"{v:.2f}" for v in rng.lognormal(3, 1, rows)]),
        "at": pa.array([f"2024-02-{d + 1:02d} {h:02d}:00:00" for d, h in zip(
            days, rng.integers(0, 24, rows), strict=True)]),
        "channel": pa.array(rng.choice(["pos", "online", "atm"], rows)),
        "customer": pa.array([f"C{v:08d}" for v in rng.integers(0, 10**6, rows)]),
    }  # fmt: skip


def small_reference(
    name: str = "small",
    *,
    owner: str = HOUSE,
    profiles: tuple[ColumnProfile, ...] | None = None,
    **more: Any,
) -> tuple[Reference, pa.Table]:
    """A reference of `small_table`, and its sketch.

    Args:
        profiles: instead of those of `small_table`.
        more: other attributes of the reference.
    """
    table = small_table()
    measured = measure(table) if profiles is None else profiles
    share = 1 / len(measured)
    columns = tuple(
        ReferenceColumn(
            profile,
            share,
            required=profile.name == "amount",
            categorical=profile.name in ("channel", "customer"),
        )
        for profile in measured
    )
    metrics = {"average_precision": 0.8, "roc_auc": 0.95}
    models = (
        ReferenceModel(f"{name}-xgboost", "a" * 64, "supervised", metrics),
        ReferenceModel(f"{name}-isolation-forest", "b" * 64, "anomaly", {"roc_auc": 0.7}),
    )
    given: dict[str, Any] = {
        "name": name,
        "owner": owner,
        "tenant": owner or "default",
        "kind": "tabular",
        "schema_id": "tab-123456789abc",
        "columns": columns,
        "label": "is_fraud",
        "label_rate": 0.02,
        "rows": 400,
        "models": models,
        "best": models[0].variant,
        "metrics": metrics,
        "created_at": "2026-11-01T10:00:00+00:00",
        "missing": ("NA",),
    }
    drawn = sketch(table, measure(table)) if profiles is None else pa.table({})
    return Reference(**{**given, **more}), drawn
