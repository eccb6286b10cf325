"""The Parquet file of generated payments is repeatable."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow.parquet as pq

from data.generator import GeneratorSpec, write

DAY_MS = 86_400_000


END_MS = 20_000 * DAY_MS + 7 * 3_600_000


def test_the_same_call_writes_the_same_bytes(tmp_path: Path) -> None:
    spec = GeneratorSpec(50, END_MS - 5 * DAY_MS, END_MS, seed=9)
    reports = [write(spec, tmp_path / name) for name in ("a.parquet", "b.parquet")]
    first, second = (hashlib.sha256(Path(r.file).read_bytes()).digest() for r in reports)
    assert first == second
    assert reports[0].rows == pq.ParquetFile(tmp_path / "a.parquet").metadata.num_rows
