"""A reference whose model is a logistic of the amount, in an artifact store and in the table; and
files that fit it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pyarrow as pa

from fraud.variant import HOUSE
from models.artifact import version_of
from references import catalogue
from references.files import artifact_name, write_reference
from references.profile.measure import measure
from references.profile.sketch import sketch
from references.reference import Reference, ReferenceColumn, ReferenceModel, StoredReference
from tests.contracts.artifacts import tiny_artifact

NAME = "shop"
SCHEMA_ID = "tab-123456789abc"
COLUMNS = ("amount", "basket", "age_days", "channel")


def shop_table(rows: int, seed: int = 0, amount: str = "amount") -> pa.Table:
    """Purchases: amount, items in the basket, age of the account and channel."""
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            amount: np.round(rng.lognormal(3, 1, rows), 2),
            "basket": rng.integers(1, 40, rows),
            "age_days": np.round(rng.exponential(300, rows), 1),
            "channel": rng.choice(["pos", "online", "phone"], rows),
        }
    )


async def store_shop_reference(
    session: asyncpg.Connection, artifacts: Path, *, owner: str = HOUSE, work: int = 0
) -> StoredReference:
    """Make the reference and list it.

    Args:
        artifacts: folder of the artifact store.
        owner: the tenant whose it is.
        work: makes scoring slow, see `tiny_artifact`.
    """
    table = shop_table(2_000)
    columns: dict[str, Any] = dict(zip(table.column_names, table.columns, strict=True))
    profiles = measure(columns)
    _, digest = tiny_artifact(
        artifacts,
        f"{NAME}-xgboost",
        n_features=len(COLUMNS),
        schema_id=SCHEMA_ID,
        slope=0.01,
        work=work,
        knots=((0.0, 0.0), (1.0, 1.0)),
        columns=COLUMNS,
    )
    model = ReferenceModel(f"{NAME}-xgboost", digest, "supervised", {"average_precision": 0.8})
    reference = Reference(
        name=NAME,
        owner=owner,
        tenant=owner or "default",
        kind="tabular",
        schema_id=SCHEMA_ID,
        columns=tuple(
            ReferenceColumn(p, 0.25, required=p.name == "amount", categorical=p.name == "channel")
            for p in profiles
        ),
        label="is_fraud",
        label_rate=0.02,
        rows=2_000,
        models=(model,),
        best=model.variant,
        metrics={"average_precision": 0.8, "roc_auc": 0.9},
        created_at="2026-11-01T10:00:00+00:00",
    )
    made = artifacts / artifact_name(NAME) / "being-written"
    digest = write_reference(made, reference, sketch(columns, profiles))
    made.rename(made.with_name(version_of(digest)))
    return await catalogue.add(
        session, reference, digest, size_bytes=1000, location=artifacts.as_uri()
    )


def expected_scores(amounts: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """What the model says about amounts."""
    scores: np.ndarray[Any, Any] = 1 / (1 + np.exp(-0.01 * amounts.astype(np.float64)))
    return scores
