"""Generated payments in a Parquet file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from data.generator.genuine import DAY_MS
from data.generator.rows import KINDS
from data.generator.stream import GeneratorSpec, generate

_ROWS_PER_GROUP = 100_000


@dataclass(slots=True)
class GeneratorReport:
    """What was written: rows, frauds of each kind, seconds."""

    file: str
    rows: int = 0
    fraud: int = 0
    kinds: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    seconds: float = 0.0
    rows_per_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the report, JSON-ready."""
        return asdict(self)

    def count(self, table: pa.Table) -> None:
        """Add a table's rows."""
        self.rows += table.num_rows
        for entry in pc.value_counts(table["fraud_kind"].drop_null()).to_pylist():
            self.kinds[entry["values"]] += entry["counts"]
            self.fraud += entry["counts"]


def write(
    spec: GeneratorSpec,
    path: Path,
    progress: Callable[[GeneratorReport, float], None] | None = None,
) -> GeneratorReport:
    """Write the payments of `spec` to a Parquet file. On failure there is no file.

    Args:
        progress: called after every day with the report and the share of days done, in [0, 1].

    Raises:
        OSError: the file cannot be written.
    """
    report, started = GeneratorReport(str(path)), time.monotonic()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    days = (spec.end_ms - 1) // DAY_MS - spec.start_ms // DAY_MS + 1
    try:
        with _Groups(part) as groups:
            for done, table in enumerate(generate(spec), start=1):
                groups.add(table)
                report.count(table)
                report.seconds = round(time.monotonic() - started, 3)
                if progress is not None:
                    progress(report, done / days)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    report.seconds = round(time.monotonic() - started, 3)
    report.rows_per_s = round(report.rows / max(report.seconds, 1e-3), 1)
    return report


class _Groups:
    """A Parquet file in row groups of about the same size, whatever the size of tables."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []

    def __enter__(self) -> _Groups:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        if self._writer is not None:
            self._writer.close()

    def add(self, table: pa.Table) -> None:
        self._waiting.append(table)
        if sum(t.num_rows for t in self._waiting) >= _ROWS_PER_GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        table = pa.concat_tables(self._waiting)
        self._waiting = []
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema, compression="zstd")
        self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
