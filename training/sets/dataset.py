"""Labelled history as a point-in-time feature matrix, cached until the history or code changes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np

import features
from data.history.history import History, read_history
from features.backfill import backfill
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.payment.batch import COLUMNS, Float32, Float64, Int64
from stores.postgres.connect import connection
from stores.statements import statement
from training.sets.schema import FeatureSchema
from training.sets.split import DAY_MS, Int8

_KEPT = 3
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Dataset:
    """n payments in the order of time.

    Attributes:
        values: float32[n, n_features], C-contiguous, possibly memory-mapped.
        label: int8[n]: 1 fraud, 0 genuine, -1 unknown.
        known_at_ms: int64[n]: when the label could first have been known.
        timestamp_ms: int64[n], rising.
        customer_id: n ids; None if the set has no customers.
        amount: float64[n] in currency units; NaN where unknown.
        segment: field (`channel`, `country`, `merchant_category` or `type`) -> n values, None
            where unknown; only fields with more than one value.
        schema: the columns of `values`.
        row_id: n unique names: transaction ids, or for a table its row numbers in the file, from
            1. None: rows have only their position.
    """

    values: Float32
    label: Int8
    known_at_ms: Int64
    timestamp_ms: Int64
    customer_id: list[str] | None
    amount: Float64
    segment: dict[str, list[str | None]]
    schema: FeatureSchema
    row_id: list[str] | None = None

    @property
    def schema_id(self) -> str:
        """The id of the feature schema."""
        return self.schema.schema_id

    def __len__(self) -> int:
        return int(self.label.size)


SEGMENTS = ("channel", "country", "merchant_category", "type")
"""Fields of a payment by which figures are broken down."""


def segments_of(columns: Mapping[str, list[str | None]]) -> dict[str, list[str | None]]:
    """The columns with more than one known value."""
    return {name: values for name, values in columns.items() if len(set(values) - {None}) > 1}


def build_dataset(history: History, cache: Path, progress: Callable[[int, int], None]) -> Dataset:
    """Backfill a history into features, or take them from the cache.

    Args:
        cache: folder for matrices; the newest few are kept.
        progress: called with rows done and total rows.
    """
    batch = history.batch
    path = cache / f"features-{_key(history)}.npy"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _backfill_into(path, history, progress)
        _prune(cache)
    progress(len(batch), len(batch))
    return Dataset(
        values=np.load(path, mmap_mode="r", allow_pickle=False),
        label=history.label,
        known_at_ms=history.known_at_ms,
        timestamp_ms=np.array(batch.timestamp_ms, np.int64),
        customer_id=batch.customer_id,
        amount=batch.amount_hundredths() / 100,
        segment=segments_of({name: getattr(batch, name) for name in SEGMENTS}),
        schema=FeatureSchema.served(),
        row_id=batch.transaction_id,
    )


def _backfill_into(path: Path, history: History, progress: Callable[[int, int], None]) -> None:
    """Write the matrix into a temporary file, renamed when complete."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".features-", suffix=".tmp")
    os.close(handle)
    try:
        values = np.lib.format.open_memmap(
            name, mode="w+", dtype=np.float32, shape=(len(history), N_FEATURES)
        )
        done = 0
        for part in backfill([history.batch], [history.label_events()]):
            values[done : done + len(part)] = part.values
            done += len(part)
            progress(done, len(history))
        values.flush()
        del values
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _key(history: History) -> str:
    """A hash of everything the matrix depends on: every column, the labels and the times at which
    they became known, the schema, and the feature code."""
    key = hashlib.sha256(SCHEMA_ID.encode())
    for name in COLUMNS:
        column = getattr(history.batch, name)
        key.update(_SEPARATOR.join(map(str, column)).encode("utf-8", "replace"))
        key.update(b"\x00")
    key.update(history.label.tobytes())
    key.update(history.known_at_ms.tobytes())
    for root in (files(features), files("fraud.payment").joinpath("batch.py")):
        for source in _sources(root):
            key.update(source.read_bytes())
    return key.hexdigest()[:24]


def _sources(root: Traversable) -> list[Traversable]:
    if root.is_file():
        return [root] if root.name.endswith(".py") else []
    # What Python compiled may belong to another user, and says nothing more.
    children = sorted((c for c in root.iterdir() if c.name != "__pycache__"), key=lambda c: c.name)
    return [source for child in children for source in _sources(child)]


def _prune(cache: Path) -> None:
    newest = sorted(cache.glob("features-*.npy"), key=lambda p: p.stat().st_mtime, reverse=True)
    for path in newest[_KEPT:]:
        path.unlink(missing_ok=True)


async def newest_payment_ms(database_url: str, tenant: str) -> int | None:
    """The time of a tenant's newest payment, ms since 1970; None without payments."""
    async with connection(database_url) as session:
        newest: int | None = await session.fetchval(
            statement("training/sql/newest_payment.sql"), tenant
        )
    return newest


async def newest_history(database_url: str, tenant: str, days: float | None) -> History:
    """A tenant's payments of the newest `days` days; None: all."""
    since_ms = None
    if days is not None:
        newest_ms = await newest_payment_ms(database_url, tenant)
        if newest_ms is not None:
            since_ms = newest_ms - round(days * DAY_MS)
    return await read_history(database_url, tenant, since_ms=since_ms)
