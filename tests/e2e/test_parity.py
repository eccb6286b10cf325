"""What served decisions saw is what a replay of history computes: the same bits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import numpy as np
import pytest

from features.definitions import N_FEATURES
from features.replay import replay
from fraud.batch import TransactionBatch
from fraud.currency import to_major
from tests.contracts.payments import payments
from tests.e2e.conftest import Quorum

DATA = Path("../shared/data")
ROWS = 3_000
OPTIONAL = (
    *("merchant_id", "merchant_category", "counterparty_id", "device_id"),
    *("country", "channel", "latitude", "longitude"),
)


def body_of(batch: TransactionBatch, i: int) -> dict[str, object]:
    body: dict[str, object] = {
        "transaction_id": batch.transaction_id[i],
        "customer_id": batch.customer_id[i],
        "timestamp": datetime.fromtimestamp(batch.timestamp_ms[i] / 1000, UTC).isoformat(),
        "amount": str(to_major(batch.amount_minor[i], batch.currency[i])),
        "currency": batch.currency[i],
        "type": batch.type[i],
    }
    return body | {
        name: value for name in OPTIONAL if (value := getattr(batch, name)[i]) is not None
    }


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
            assert not [r["degraded_reasons"] for r in results if r["degraded"]]
            ids += [r["decision_id"] for r in results]
    return ids


async def served(database_url: str, tenant: str, ids: Sequence[str]) -> list[bytes]:
    connection = await asyncpg.connect(database_url)
    try:
        for _ in range(100):
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
    offline = np.concatenate([f.values for f in replay([batch])])
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
    from training.data.history import read_history

    source, tenant = f"{layout}-source", f"{layout}-served"
    quorum.run(
        *("load", "--layout", layout, str(DATA / file)),
        *("--tenant", source, "--limit", str(ROWS)),
    )
    history = asyncio.run(read_history(quorum.database_url, source))
    assert len(history.batch) > 0.95 * ROWS
    fields = {
        name: getattr(history.batch, name) for name in TransactionBatch.__dataclass_fields__
    } | {"tenant": [tenant] * len(history.batch)}
    assert_parity(quorum, tenant, TransactionBatch(**fields))
