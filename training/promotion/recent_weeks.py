"""The newest labelled weeks: the payments on which models are compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from data.history.bulk_read import bulk_read
from data.history.history import read_history
from fraud.errors import NotTrainable
from fraud.payment.batch import Float32, Float64, Int64
from models.artifact import Manifest
from settings.settings import Settings
from stores.statements import statement
from training.metrics.cases import cases
from training.metrics.metrics import evaluate
from training.sets.dataset import build_dataset
from training.sets.split import DAY_MS, FRAUD, UNKNOWN

_FILLING_DAYS = 120
"""History read before the weeks, so that feature windows and known labels are complete."""
_FITTED = ("train_end", "validation_end", "calibration_end")
_CHUNK_ROWS = 16_384


@dataclass(frozen=True, slots=True)
class RecentPayments:
    """n labelled payments, in the order of time.

    Attributes:
        values: float32[n, n_features], point in time.
        schema_id: of the features.
        fraud: float32[n], 1 for fraud, else 0; both occur.
        timestamp_ms: int64[n].
        customer_id: n ids.
        cluster: int64[n], the clusters that are resampled whole (`training.metrics.cases`).
    """

    values: Float32
    schema_id: str
    fraud: Float32
    timestamp_ms: Int64
    customer_id: list[str]
    cluster: Int64

    def __len__(self) -> int:
        return int(self.fraud.size)

    def chunks(self) -> Iterable[Float32]:
        """`values` in chunks of some thousand rows."""
        for start in range(0, len(self), _CHUNK_ROWS):
            yield np.ascontiguousarray(self.values[start : start + _CHUNK_ROWS])

    def figures(self, score: Float64, probabilities: bool) -> dict[str, float]:
        """Figures of scores float64[n], see `training.metrics.metrics.evaluate`."""
        return evaluate(score, self.fraud, self.customer_id, self.timestamp_ms, probabilities)

    def document(self) -> dict[str, object]:
        """Period and counts, JSON-ready."""
        return {
            "start": _moment(int(self.timestamp_ms[0])),
            "end": _moment(int(self.timestamp_ms[-1])),
            "rows": len(self),
            "frauds": int(self.fraud.sum()),
        }


def learnt_until_ms(manifest: Manifest) -> int | None:
    """The end of the payments used to fit a model, ms since 1970; None if its manifest does not
    state it. Later payments are new to the model."""
    window = manifest.training.get("window", {})
    ends = [str(window[name]) for name in _FITTED if window.get(name)]
    if not ends:
        return None
    return max(round(datetime.fromisoformat(end).timestamp() * 1000) for end in ends)


def read_recent_payments(
    settings: Settings,
    weeks: float,
    not_before_ms: int,
    min_frauds: int,
    progress: Callable[[int, int], None],
) -> RecentPayments:
    """Read the newest labelled weeks that none of the compared models has learnt from.

    Args:
        settings: tenant, database and cache folder.
        not_before_ms: the latest moment that a model has learnt from.
        progress: called with rows done and total rows.

    Raises:
        NotTrainable: no database, or too few labelled payments.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    if settings.database_url is None:
        raise NotTrainable("no database to read labelled payments from: set DATABASE_URL")
    url = settings.database_url.get_secret_value()
    newest_ms = asyncio.run(_newest_labelled_ms(url, settings.tenant))
    if newest_ms is None:
        raise NotTrainable(
            f"tenant {settings.tenant} has no labelled payments: load some"
            " (`quorum load`), or name another tenant (--tenant)"
        )
    start_ms = max(newest_ms + 1 - round(weeks * 7 * DAY_MS), not_before_ms)
    history = asyncio.run(
        read_history(
            url,
            settings.tenant,
            since_ms=start_ms - _FILLING_DAYS * DAY_MS,
            until_ms=newest_ms + 1,
        )
    )
    dataset = build_dataset(history, _cache(settings), progress)
    rows = np.flatnonzero((dataset.timestamp_ms >= start_ms) & (dataset.label != UNKNOWN))
    fraud = (dataset.label[rows] == FRAUD).astype(np.float32)
    frauds = int(fraud.sum())
    if frauds < min_frauds or frauds == fraud.size:
        raise NotTrainable(
            f"{fraud.size:,} labelled payments with {frauds:,} frauds since {_moment(start_ms)},"
            f" the end of the models' training data: {min_frauds} frauds are needed"
        )
    ids = dataset.customer_id or []
    customer_id = [ids[i] for i in rows.tolist()]
    timestamp_ms = dataset.timestamp_ms[rows]
    return RecentPayments(
        values=dataset.values[rows],
        schema_id=dataset.schema_id,
        fraud=fraud,
        timestamp_ms=timestamp_ms,
        customer_id=customer_id,
        cluster=cases(fraud, customer_id, timestamp_ms).cluster,
    )


def _cache(settings: Settings) -> Path:
    return settings.home / "cache"


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


async def _newest_labelled_ms(database_url: str, tenant: str) -> int | None:
    async with bulk_read(database_url) as connection:
        newest: int | None = await connection.fetchval(
            statement("training/sql/newest_labelled.sql"), tenant
        )
    return newest
