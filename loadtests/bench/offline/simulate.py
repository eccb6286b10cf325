"""How long a simulation of 100,000 recorded decisions takes.

    python -m loadtests.bench.offline.simulate --decisions 100000

Decisions are written into a PostgreSQL of its own through the sink of the decision log, with labels
for half of the payments, then simulated as `quorum plan simulate` does it: under the plan that made
them with other thresholds, and under a plan that also asks a model about each of them which no
record has, boosted trees of the usual size.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import numpy as np
import onnxruntime
import xgboost

from cluster.embedded import EmbeddedPostgres
from cluster.schema.migrate import migrate
from deciding.simulation.models import ArtifactModels
from deciding.simulation.run import simulate
from decision_log.shipping.postgres_sink import PostgresSink
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.ensemble import Member, Thresholds
from fraud.payment.batch import FeatureBatch, TransactionBatch
from fraud.payment.transaction import CHANNELS, Transaction
from fraud.record import RecordBatch
from loadtests.recorded import PLAN, recorded
from models.artifact import Manifest, sha256_of, write_manifest
from models.scoring.scorer import GOLDEN_FILE
from models.store.alias import CHAMPION, Alias
from models.store.location import open_store
from models.store.store import ArtifactStore
from settings.settings import Settings
from training.config import XGBoostConfig
from training.export.trees import boosted_graph, forest_of_booster

ROWS = 256
CANDIDATE = "candidate"
CURRENCIES = ("EUR", "USD", "JPY", "GBP")
COUNTRIES = ("DE", "FR", "US", "JP", "GB", "PL", "ES", "IT")


def main() -> None:
    """Measure, and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--decisions", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="quorum-") as folder:
        # PostgreSQL runs as another user where root starts it.
        os.chmod(folder, 0o755)
        server = EmbeddedPostgres(Path(folder) / "pg", throwaway=True)
        server.start()
        try:
            asyncio.run(_measure(server.url, Path(folder), arguments.decisions, arguments.rounds))
        finally:
            server.stop()


async def _measure(url: str, folder: Path, decisions: int, rounds: int) -> None:
    await migrate(url)
    began_s = time.perf_counter()
    await _write(url, decisions)
    print(f"{decisions:,} decisions written in {time.perf_counter() - began_s:.1f} s")
    moved = replace(PLAN.ensemble, thresholds=Thresholds(0.55, 0.7, 0.85, 0.995))
    asking = replace(moved, members=(*moved.members, Member(CANDIDATE, 0.5)))
    store = open_store(str(folder / "artifacts"), Settings.load())
    await asyncio.to_thread(_train, store, folder / "candidate")
    for name, ensemble in (("votes on record", moved), ("one model asked", asking)):
        plan = replace(PLAN, version=2, policy=ensemble)
        for _ in range(rounds):
            began_s = time.perf_counter()
            result = await simulate(url, "default", plan, decisions, ArtifactModels(store))
            took_s = time.perf_counter() - began_s
            peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            found = result.figures
            asked = sum(sum(votes.asked.values()) for votes in result.votes)
            print(
                f"{name}: {found.decisions:,} simulated in {took_s:.1f} s: {found.flipped:,}"
                f" flipped, {found.labels.mature:,} with mature labels, {asked:,} votes asked for;"
                f" peak RSS {peak_mib:.0f} MiB"
            )


def _train(store: ArtifactStore, folder: Path) -> None:
    """Store boosted trees that were fitted on noise as the champion of the candidate."""
    rng = np.random.default_rng(2)
    values = rng.normal(size=(20_000, N_FEATURES)).astype(np.float32)
    config = XGBoostConfig()
    parameters = {"objective": "binary:logistic", "max_depth": config.max_depth, "nthread": 2}
    data = xgboost.DMatrix(values, rng.random(len(values)) < 1 / (1 + np.exp(-values[:, 0])))
    booster = xgboost.train(parameters, data, config.rounds)
    graph = boosted_graph(*forest_of_booster(booster), N_FEATURES)
    folder.mkdir()
    (folder / "model.onnx").write_bytes(graph)
    session = onnxruntime.InferenceSession(graph)
    [scores] = session.run(None, {session.get_inputs()[0].name: values[:8]})
    np.savez(folder / GOLDEN_FILE, features=values[:8], scores=scores.reshape(-1))
    files = {name: sha256_of(folder / name) for name in ("model.onnx", GOLDEN_FILE)}
    manifest = Manifest(CANDIDATE, "supervised", "onnx", SCHEMA_ID, N_FEATURES, (), files)
    digest = write_manifest(folder, manifest)
    store.put(folder, CANDIDATE, digest)
    store.set_alias(CANDIDATE, CHAMPION, Alias(digest))


async def _write(url: str, decisions: int) -> None:
    rng = np.random.default_rng(1)
    now = datetime.now(UTC)
    sink, connection = PostgresSink(url), await asyncpg.connect(url)
    labels = []
    for start in range(0, decisions, ROWS):
        n = min(ROWS, decisions - start)
        at = now - timedelta(days=40) + timedelta(days=39) * (start / decisions)
        batch = await asyncio.to_thread(_decided, n, start, round(at.timestamp() * 1000), rng)
        await sink.insert([batch])
        for i in range(0, n, 2):
            fraud = bool(rng.random() < batch.decisions.probability[i] ** 4)
            labels.append((batch.transactions.transaction_id[i], fraud, at + timedelta(days=3)))
    await connection.executemany(
        "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
        " VALUES ('default', $1, $2, $3, 'bench')",
        labels,
    )
    await sink.close()
    await connection.close()


def _decided(n: int, start: int, at_ms: int, rng: np.random.Generator) -> RecordBatch:
    """Return the records of n decisions on random payments."""
    payments = [
        Transaction(
            transaction_id=f"t{start + i}",
            customer_id=f"c{rng.integers(10_000)}",
            timestamp_ms=at_ms - 1000 + i,
            amount_minor=int(rng.lognormal(8, 1.5)) + 1,
            currency=CURRENCIES[rng.integers(len(CURRENCIES))],
            type="purchase",
            merchant_id=f"m{rng.integers(500)}",
            merchant_category="5411",
            device_id=f"d{rng.integers(20_000)}",
            ip_address="203.0.113.9",
            country=COUNTRIES[rng.integers(len(COUNTRIES))],
            channel=CHANNELS[rng.integers(3)],
        )
        for i in range(n)
    ]
    batch = TransactionBatch.of("default", payments)
    scores = [rng.random(n) for _ in PLAN.variants]
    values = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    features = FeatureBatch(values, SCHEMA_ID, np.full(n, 1000, np.int64))
    stage_ms = {"features": 1.2, "vote": 2.3, "log": 0.4}
    return recorded(PLAN, batch, features, scores, at_ms, stage_ms=stage_ms)


if __name__ == "__main__":
    main()
