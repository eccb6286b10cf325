"""Offline features of a file of payments, written as Parquet: one row for each payment."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from data.layout.layout import Layout, load_layout
from data.load.payment_file import PaymentFile
from data.load.payment_reader import read_payments
from features.backfill import CHUNK_ROWS, backfill
from features.definitions import NAMES, SCHEMA_ID
from features.store.memory import MemoryStore
from fraud.errors import QuorumError
from fraud.payment.batch import FeatureBatch, TransactionBatch

_ROWS_PER_BATCH = 4 * CHUNK_ROWS
_CHUNKS_PER_GROUP = 16
"""Chunks in a row group: about 65,000 rows, 50 MB of features while it is written."""

KEYS = (
    pa.field("transaction_id", pa.string(), nullable=False),
    pa.field("timestamp", pa.timestamp("ms", tz="UTC"), nullable=False),
    pa.field("label", pa.int8()),
    pa.field("known_at", pa.timestamp("ms", tz="UTC")),
)
"""The columns besides the features. `label`: 1 for fraud, 0 for genuine, null if unknown."""

ComputeFeatures = Callable[[PaymentFile], Iterator[FeatureBatch]]
"""Computes the features of a file's payments, in their order, in parts of any size."""

Progress = Callable[[str, int, int], None]
"""Called with the stage (`read`, `write`), rows done and total rows (an estimate while reading)."""


class OutputExists(QuorumError):
    """The output file exists already. The message names it."""


@dataclass(frozen=True, slots=True)
class OfflineReport:
    """A report on the written file.

    Attributes:
        out: the Parquet file; its metadata hold `schema_id` and `layout`.
        schema_id: of the features.
        features: number of feature columns.
        read: rows read from the file. Of these `rows` were written, `bad` were refused (listed in
            `rejects`), `repeated` were left out as repetitions of an earlier payment, and `reused`
            had the id of another payment and were refused or kept apart, as the layout states.
        labelled: rows with a label.
        labels_left_out: reason -> number of labels that could not be used.
        reasons: refused rows by field and reason.
        seconds, rows_per_s: from opening the file to the finished output.
        peak_mib: peak memory of this process so far, MiB.
    """

    file: str
    layout: str
    out: str
    schema_id: str
    features: int
    read: int
    rows: int
    bad: int
    repeated: int
    reused: int
    labelled: int
    seconds: float
    rows_per_s: float
    peak_mib: float
    rejects: str | None
    reasons: list[dict[str, Any]]
    labels_left_out: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """The report, JSON-ready."""
        return asdict(self)


def in_process(payments: PaymentFile) -> Iterator[FeatureBatch]:
    """Backfill in this process."""
    store = MemoryStore()
    return backfill(forgetful_batches(payments, store), payments.label_events(), store)


def forgetful_batches(payments: PaymentFile, store: MemoryStore) -> Iterator[TransactionBatch]:
    """The payments of a file, in order. Before each next batch the store forgets the entities that
    no later payment names, so that a file whose customers all pay once fits into memory."""
    start = 0
    for batch in payments.batches(rows=_ROWS_PER_BATCH):
        yield batch
        stop = start + len(batch)
        for entity, ids in payments.last_seen(start, stop).items():
            store.forget(entity, [(batch.tenant[0], one) for one in ids])
        start = stop


def write_features(
    path: Path,
    layout: str | Layout,
    out: Path,
    *,
    limit: int | None = None,
    rejects: Path | None = None,
    force: bool = False,
    progress: Progress = lambda *_: None,
    compute: ComputeFeatures = in_process,
) -> OfflineReport:
    """Write the features of every valid row of a file, in the order of time.

    The output gets its name once it is complete. Memory: about 150 bytes a row, the state of every
    entity that is named again, and 500 MB.

    Args:
        limit: stop after this many rows of the file.
        rejects: CSV file for the refused rows; None: beside the output.
        force: replace the output if it exists.
        compute: computes the features.

    Raises:
        OutputExists: the output exists and `force` is False.
        LayoutInvalid: the layout is invalid, or the file lacks one of its columns.
        SourceUnreadable: the file is missing, empty or damaged.
        OSError: the output cannot be written.
    """
    started = time.monotonic()
    if out.exists() and not force:
        raise OutputExists(f"{out} exists already")
    plan = layout if isinstance(layout, Layout) else load_layout(layout)
    payments = read_payments(
        path,
        plan,
        limit=limit,
        rejects=rejects or out.with_name(f"{out.name}.rejected.csv"),
        progress=lambda rows, share: progress("read", rows, _expected(rows, share, limit)),
    )
    _write(out, plan.name, payments, compute, progress)
    seconds = time.monotonic() - started
    return OfflineReport(
        file=str(path),
        layout=plan.name,
        out=str(out),
        schema_id=SCHEMA_ID,
        features=len(NAMES),
        read=payments.rows,
        rows=len(payments),
        bad=payments.bad,
        repeated=payments.repeated,
        reused=payments.reused,
        labelled=int(np.count_nonzero(payments.label >= 0)),
        seconds=round(seconds, 3),
        rows_per_s=round(len(payments) / max(seconds, 1e-3), 1),
        peak_mib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        rejects=None if payments.rejects is None else str(payments.rejects),
        reasons=payments.reasons,
        labels_left_out=dict(payments.labels_left_out),
    )


def _expected(rows: int, share: float, limit: int | None) -> int:
    """An estimate of a file's rows if `rows` rows are `share` of it."""
    all_rows = round(rows / max(share, 1e-9))
    return all_rows if limit is None else min(limit, all_rows)


def schema_of(layout: str) -> pa.Schema:
    """The columns of the output: `KEYS`, then every feature as float32, NaN where unknown."""
    described = {"schema_id": SCHEMA_ID, "layout": layout}
    return pa.schema(
        [*KEYS, *(pa.field(n, pa.float32(), nullable=False) for n in NAMES)], described
    )


def _write(
    out: Path, layout: str, payments: PaymentFile, compute: ComputeFeatures, progress: Progress
) -> None:
    """Write into a temporary file, renamed when complete."""
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}-", suffix=".tmp")
    os.close(handle)
    try:
        schema = schema_of(layout)
        with pq.ParquetWriter(
            draft,
            schema,
            compression="zstd",
            compression_level=1,
            use_dictionary=False,
            use_byte_stream_split=list(NAMES),
        ) as writer:
            done = 0
            progress("write", 0, len(payments))
            for group in _groups(compute(payments)):
                rows = sum(len(part) for part in group)
                writer.write_table(_table(schema, payments, done, group))
                done += rows
                progress("write", done, len(payments))
        assert done == len(payments)
        # mkstemp makes a file that only its owner can read; the output gets the usual permissions.
        umask = os.umask(0)
        os.umask(umask)
        Path(draft).chmod(0o666 & ~umask)
        os.replace(draft, out)
    finally:
        Path(draft).unlink(missing_ok=True)


def _groups(parts: Iterator[FeatureBatch]) -> Iterator[list[FeatureBatch]]:
    """Gather parts into row groups."""
    group: list[FeatureBatch] = []
    for part in parts:
        group.append(part)
        if sum(map(len, group)) >= _CHUNKS_PER_GROUP * CHUNK_ROWS:
            yield group
            group = []
    if group:
        yield group


def _table(
    schema: pa.Schema, payments: PaymentFile, start: int, group: list[FeatureBatch]
) -> pa.Table:
    values = np.concatenate([part.values for part in group])
    stop = start + len(values)
    places = np.arange(start, stop)
    label = payments.label[start:stop]
    known = payments.known_at_ms[start:stop]
    keys = [
        pa.array(payments.texts("transaction_id", places), pa.string()),
        pa.array(payments.timestamp_ms[start:stop]).cast(KEYS[1].type),
        pa.array(label, mask=label < 0),
        pa.array(known, mask=label < 0).cast(KEYS[3].type),
    ]
    columns = np.ascontiguousarray(values.T)
    return pa.Table.from_arrays([*keys, *map(pa.array, columns)], schema=schema)
