"""A champion with reference distributions, and decisions of which two features have moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import numpy as np

from decision_log.shipping.postgres_sink import PostgresSink
from fraud.payment.batch import TransactionBatch
from fraud.plan import Plan
from fraud.record import records
from fraud.variant import HOUSE
from models.artifact import read_manifest, sha256_of, version_of, write_manifest
from models.drift import REFERENCE_FILE, ReferenceDistribution, ReferenceDistributions
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.decisions import N_FEATURES, PLAN, decided, transactions

SCHEMA_ID = "0123456789ab"
NAMES = tuple(f"f{i}" for i in range(N_FEATURES))
SERVED = 600
MOVED, GONE = 3, 5


def train_champion(root: Path, owner: str = HOUSE, shift: float = 0.0) -> None:
    """An owner's champion whose training saw what `decided` makes up, and models that say anything.

    Args:
        shift: added to every feature in training; differs between owners.
    """
    rng = np.random.default_rng(99)
    values = rng.normal(size=(20_000, N_FEATURES)).astype(np.float32)
    values += shift
    values[:, ::7] = np.nan
    models = ("ensemble", *PLAN.variants)
    references = ReferenceDistributions(
        ReferenceDistribution.of(NAMES, values),
        ReferenceDistribution.of(models, rng.random((5_000, len(models)))),
    )
    version, _ = tiny_artifact(root, "xgboost", n_features=N_FEATURES, schema_id=SCHEMA_ID)
    folder = root / "xgboost" / version
    (folder / REFERENCE_FILE).write_bytes(references.to_bytes())
    manifest, _ = read_manifest(folder)
    files = {**manifest.files, REFERENCE_FILE: sha256_of(folder / REFERENCE_FILE)}
    digest = write_manifest(folder, replace(manifest, files=files))
    folder.rename(root / "xgboost" / version_of(digest))
    point_alias(root, "xgboost", version_of(digest), digest, owner=owner)


async def serve_moved(
    database_url: str,
    now: datetime,
    tenant: str = "default",
    plan: Plan = PLAN,
    fresh: bool = True,
    moved: int = MOVED,
) -> None:
    """600 decisions of the last three hours and one long ago; every payment of the last ones
    labelled half an hour after its decision, by its probability.

    Args:
        moved: number of the feature that is one higher than in training.
        fresh: remove all other decisions, labels and plans before.
    """
    now_ms = round(now.timestamp() * 1000)
    connection, sink = await asyncpg.connect(database_url), PostgresSink(database_url)
    if fresh:
        await connection.execute("TRUNCATE decisions, labels, plans")
    rng = np.random.default_rng(11)
    for hour in (1, 2, 3):
        at_ms = now_ms - hour * 3_600_000
        batch = _of(tenant, transactions(SERVED // 3, f"h{hour}-", at_ms))
        features, decisions = decided(batch, seed=hour, at_ms=at_ms, plan=plan)
        features.values[:, moved] += 1.0
        features.values[::2, GONE] = np.nan
        await sink.insert([records(batch, features, decisions, plan)])
        fraud = rng.random(len(batch)) < np.array(decisions.probability)
        known = now - timedelta(hours=hour) + timedelta(minutes=30)
        await connection.executemany(
            "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
            " VALUES ($1, $2, $3, $4, 'test')",
            [(tenant, t, bool(f), known) for t, f in zip(batch.transaction_id, fraud, strict=True)],
        )
    old = _of(tenant, transactions(1, "old-", now_ms - 40 * 86_400_000))
    features, decisions = decided(old, at_ms=now_ms - 40 * 86_400_000, plan=plan)
    await sink.insert([records(old, features, decisions, plan)])
    await sink.close()
    await connection.close()


def _of(tenant: str, batch: TransactionBatch) -> TransactionBatch:
    return replace(batch, tenant=[tenant] * len(batch))
