"""Features of served decisions equal those computed from history, bit for bit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from features.backfill import backfill
from features.definitions import N_FEATURES, NAMES
from features.degraded import WITHOUT_HISTORY
from fraud.payment.batch import COLUMNS, TransactionBatch
from tests.contracts.payment_bodies import body_of
from tests.contracts.payments import payments
from tests.e2e.conftest import Quorum

DATA = Path("../shared/data")
ROWS = 3_000


def decide(quorum: Quorum, key: str, batch: TransactionBatch, rows: int) -> list[str]:
    """Decision ids, in the order of the rows."""
    ids: list[str] = []
    with quorum.client(key) as client:
        for start in range(0, len(batch), rows):
            stop = min(len(batch), start + rows)
            body = {"transactions": [body_of(batch, i) for i in range(start, stop)]}
            got = client.post("/v1/decisions/batch", json=body)
            assert got.status_code == 200, got.text
            results = got.json()["results"]
            assert [r.get("transaction_id") for r in results] == batch.transaction_id[start:stop]
            # A vote that comes late on a busy machine changes no feature.
            assert not WITHOUT_HISTORY & {why for r in results for why in r["degraded_reasons"]}
            ids += [r["decision_id"] for r in results]
    return ids


async def served(database_url: str, tenant: str, ids: Sequence[str]) -> list[bytes]:
    connection = await asyncpg.connect(database_url)
    try:
        for _ in range(600):
            rows = await connection.fetch(
                "SELECT decision_id::text, features FROM decisions WHERE tenant = $1", tenant
            )
            if len(rows) >= len(ids):
                break
            await asyncio.sleep(0.1)
    finally:
        await connection.close()
    found = {row["decision_id"]: bytes(row["features"]) for row in rows}
    return [found[i] for i in ids]


def assert_parity(quorum: Quorum, tenant: str, batch: TransactionBatch, rows: int = 100) -> None:
    key = quorum.json("keys", "create", "--name", tenant, "--tenant", tenant)["key"]
    ids = decide(quorum, key, batch, rows)
    online = asyncio.run(served(quorum.database_url, tenant, ids))
    offline = np.concatenate([f.values for f in backfill([batch])])
    got = np.frombuffer(b"".join(online), dtype="<f4").reshape(len(batch), N_FEATURES)
    assert got.tobytes() == offline.tobytes()


def test_on_a_stream_with_late_and_duplicate_payments(quorum: Quorum) -> None:
    assert_parity(quorum, "parity", payments(ROWS, seed=11, customers=60, late=0.1))


@pytest.mark.parametrize(
    ("layout", "file"),
    [
        ("handbook", "handbook_raw/dev_2018-04-01_to_2018-08-14.parquet"),
        ("sparkov", "sparkov_gen_A_kaggle_layout/transactions.parquet"),
    ],
)
@pytest.mark.skipif(not DATA.exists(), reason="the real data sets are not here")
def test_on_real_payments(quorum: Quorum, layout: str, file: str) -> None:
    """The first rows of a real set, through `quorum load` into canonical form, then over HTTP."""
    from data.history.history import read_history

    source, tenant = f"{layout}-source", f"{layout}-served"
    quorum.run(
        *("load", "--layout", layout, str(DATA / file)),
        *("--tenant", source, "--limit", str(ROWS)),
    )
    history = asyncio.run(read_history(quorum.database_url, source))
    assert len(history.batch) > 0.95 * ROWS
    fields = {name: getattr(history.batch, name) for name in COLUMNS} | {
        "tenant": [tenant] * len(history.batch)
    }
    assert_parity(quorum, tenant, TransactionBatch(**fields))


def shifted(batch: TransactionBatch, last_ms: int, step_ms: int) -> TransactionBatch:
    """The same payments, `step_ms` apart, the last one at `last_ms`."""
    first_ms = last_ms - step_ms * (len(batch) - 1)
    return replace(batch, timestamp_ms=[first_ms + i * step_ms for i in range(len(batch))])


def test_with_labels_sent_to_the_api(quorum: Quorum) -> None:
    """Labels that are posted are seen by later decisions, and the check of what was served, which
    replays payments and labels from PostgreSQL, finds the same bits."""
    tenant = "labelled"
    key = quorum.json("keys", "create", "--name", tenant, "--tenant", tenant)["key"]
    before, after, probes = (
        payments(n, seed=seed, customers=6, late=0.0, duplicate=0.0, prefix=prefix, tenant=tenant)
        for n, seed, prefix in ((240, 3, "before"), (200, 4, "after"), (60, 5, "probe"))
    )
    ids = decide(quorum, key, shifted(before, now_ms(), 60_000), 40)
    asyncio.run(served(quorum.database_url, tenant, ids))  # a label needs its decision on record
    with quorum.client(key) as client:
        for n, decision_id in enumerate(ids[::3]):
            label = {"is_fraud": n % 4 == 0, "source": "analyst"}
            got = client.post(f"/v1/decisions/{decision_id}/labels", json=label)
            assert got.status_code == 201, got.text
    known = NAMES.index("customer_known_30d")
    for i in range(len(probes)):  # until the feed has brought them
        ids += decide(quorum, key, shifted(probes.slice(i, i + 1), now_ms(), 1), 1)
        features = asyncio.run(served(quorum.database_url, tenant, ids))[-1]
        if np.frombuffer(features, dtype="<f4")[known] > 0:
            break
        time.sleep(0.5)
    ids += decide(quorum, key, shifted(after, now_ms(), 1), 40)
    online = asyncio.run(served(quorum.database_url, tenant, ids))[-len(after) :]
    seen = np.frombuffer(b"".join(online), dtype="<f4").reshape(len(after), N_FEATURES)
    assert (seen[:, known] > 0).all()
    report = quorum.json("features", "check", "--tenant", tenant)
    assert report["unexplained"] == 0, report
    assert report["checked"] == len(ids)
    assert report["labels"] == len(before) / 3
    # Every customer's labels were in flight or micro-batches met; after that, all bits are known.
    assert report["differ"] < len(ids) / 2


def now_ms() -> int:
    return time.time_ns() // 1_000_000
