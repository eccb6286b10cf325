"""`quorum drift`: what served decisions saw and said, against what their models were trained on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from decision_log.readers.observed import ENSEMBLE, Decided, in_window, joined
from fraud.errors import NotFound
from fraud.payment.batch import Int64
from fraud.plan import Plan
from models.drift import Calibration, ReferenceDistribution, calibration, level, matured
from models.store.origin import Origin
from stores.postgres.connect import connect

MAX_ROWS = 50_000
"""Decisions that are looked at; of more, a sample by payment."""


class NothingDecided(NotFound):
    """A tenant got no decisions in the time asked about."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one column has moved.

    Attributes:
        name: of the feature or model.
        psi: population stability index, NaN without rows.
        chance: what sampling alone would make of it on average.
        rows: decisions that it was measured on.
        missing_then, missing_now: shares of rows without a value.
        verdict: `steady`, `moderate`, `large`, or `few` rows to say.
    """

    name: str
    psi: float
    chance: float
    rows: int
    missing_then: float
    missing_now: float
    verdict: str


@dataclass(frozen=True, slots=True)
class DriftReport:
    """What `quorum drift` says.

    Attributes:
        tenant, since, until: whose decisions, and when they were made.
        decisions: how many there were.
        sampled: how many were looked at.
        foreign: of these, the ones whose features were of another schema.
        reference: variant and version whose training they are compared with.
        trained_on: rows that the reference was measured on.
        features, scores: how far each has moved, the farthest first.
        labelled: decisions with a label, old enough for others like them to have one.
        calibration: model -> probabilities beside what happened.
    """

    tenant: str
    since: str
    until: str
    decisions: int
    sampled: int
    foreign: int
    reference: str
    trained_on: int
    features: tuple[Shift, ...]
    scores: tuple[Shift, ...]
    labelled: int
    calibration: dict[str, Calibration]

    @property
    def largest_psi(self) -> float:
        """Of all features and scores with enough rows; 0 without any."""
        told = [s.psi for s in (*self.features, *self.scores) if s.verdict != "few"]
        return max(told, default=0.0)

    def to_document(self) -> dict[str, Any]:
        """JSON-ready dict; what is no number becomes None."""
        document = asdict(self)
        document["features"] = [_plain(shift) for shift in document["features"]]
        document["scores"] = [_plain(shift) for shift in document["scores"]]
        document["calibration"] = {
            name: {
                "error": None if np.isnan(c.error) else c.error,
                "bins": [
                    {
                        "mean": float(c.mean[i]),
                        "observed": float(c.observed[i]),
                        "low": float(c.low[i]),
                        "high": float(c.high[i]),
                        "rows": int(c.rows[i]),
                    }
                    for i in range(c.rows.size)
                ],
            }
            for name, c in self.calibration.items()
        }
        document["largest_psi"] = self.largest_psi
        return document


def _plain(shift: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in shift.items()}


async def measure(
    database_url: str,
    tenant: str,
    plan: Plan,
    origin: Origin,
    *,
    now: datetime,
    days: float,
    max_rows: int = MAX_ROWS,
) -> DriftReport:
    """Compare a tenant's decisions of the last days.

    Args:
        database_url: PostgreSQL; a replica will do.

    Raises:
        NothingDecided: there are no decisions.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    since = now - timedelta(days=days)
    features = origin.distributions.features
    width = len(features.names)
    connection = await connect(database_url)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            total, parts = await in_window(connection, tenant, since, max_rows)
            found = [Decided.of(rows, origin.schema_id, width) async for rows in parts]
    finally:
        await connection.close()
    decided = joined(found, width)
    if not len(decided):
        raise NothingDecided(f"tenant {tenant} got no decisions in the last {days:g} days")
    old_enough = _matured(decided, now)
    calibrated = [ENSEMBLE, *(member.variant for member in plan.members)]
    return DriftReport(
        tenant=tenant,
        since=since.isoformat(timespec="seconds"),
        until=now.isoformat(timespec="seconds"),
        decisions=total,
        sampled=len(decided),
        foreign=int((~decided.seen).sum()),
        reference=f"{origin.variant} {origin.version}",
        trained_on=features.rows,
        features=_shifts(features, features.count(decided.values[decided.seen])),
        scores=_shifts(
            origin.distributions.scores, decided.score_counts(origin.distributions.scores)
        ),
        labelled=old_enough.size,
        calibration={
            name: calibration(decided.scores[name][old_enough], decided.fraud[old_enough])
            for name in calibrated
            if name in decided.scores
        },
    )


def _matured(decided: Decided, now: datetime) -> Int64:
    """Places of labelled decisions that are old enough."""
    labelled = np.flatnonzero(~np.isnan(decided.fraud))
    now_ms = round(now.astimezone(UTC).timestamp() * 1000)
    old = matured(decided.decided_ms[labelled], decided.known_ms[labelled], now_ms)
    return labelled[old]


def _shifts(reference: ReferenceDistribution, counts: Int64) -> tuple[Shift, ...]:
    psi, chance, rows = reference.psi(counts), reference.chance(counts), counts.sum(axis=1)
    missing_then = reference.counts[:, -1] / np.maximum(reference.counts.sum(axis=1), 1)
    missing_now = counts[:, -1] / np.maximum(rows, 1)
    found = [
        Shift(
            name,
            float(psi[i]),
            float(chance[i]),
            int(rows[i]),
            float(missing_then[i]),
            float(missing_now[i]),
            level(float(psi[i]), int(rows[i])),
        )
        for i, name in enumerate(reference.names)
    ]
    return tuple(sorted(found, key=lambda s: -s.psi if not np.isnan(s.psi) else np.inf))
