"""Features computed on Ray equal those of one process, bit for bit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.backfill import CHUNK_ROWS
from training.offline.features import write_features
from training.offline.on_ray import on_ray

ROWS = 2 * CHUNK_ROWS + 500
START = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Payments of 90 customers, labels two days later; some ids are reused for other payments,
    chunks later: those are refused."""
    lines = ["transaction_id,customer_id,timestamp,amount,currency,type,merchant_id,is_fraud,"]
    lines[0] += "label_known_at"
    for i in range(ROWS):
        at = START + timedelta(minutes=7 * i)
        name = f"t{i - 4000}" if i % 1000 == 999 and i > 4000 else f"t{i}"
        known = (at + timedelta(days=2)).isoformat()
        row = f"{name},c{i * i % 90},{at.isoformat()},{1 + i % 77}.25,EUR,purchase,m{i % 31}"
        lines.append(f"{row},{int(i % 17 == 0)},{known}")
    path = tmp_path / "pay.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.usefixtures("training_ray")
def test_the_rows_are_the_same_on_ray(file: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one.parquet", tmp_path / "other.parquet"
    write_features(file, "canonical", one)
    write_features(file, "canonical", other, compute=on_ray(None, workers=2))
    expected, found = pq.read_table(one), pq.read_table(other)
    assert found.num_rows == ROWS - len(range(4999, ROWS, 1000))
    assert found.schema == expected.schema
    for name in expected.column_names:
        a, b = (t[name].combine_chunks() for t in (expected, found))
        assert a.buffers()[-1].to_pybytes() == b.buffers()[-1].to_pybytes(), name
