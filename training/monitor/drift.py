"""`quorum drift`: features and scores of served decisions against those of training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from decision_log.readers.scored_decisions import ENSEMBLE, ScoredDecisions, sample, shown_names
from fraud.errors import NotFound
from fraud.payment.batch import Int64
from fraud.plan import Plan
from models.drift import Calibration, ReferenceDistribution, calibration, level, matured
from models.store.origin import Origin
from stores.postgres.connect import connection

MAX_ROWS = 50_000
"""The most decisions to examine; of more, a sample by payment."""


class NothingDecided(NotFound):
    """A tenant got no decisions in the requested period."""


@dataclass(frozen=True, slots=True)
class Shift:
    """The shift of one column since training.

    Attributes:
        name: of the feature or model.
        psi: population stability index; NaN without rows.
        chance: the mean PSI from sampling alone.
        rows: decisions that it was measured on.
        missing_then, missing_now: shares of rows without a value in training and now.
        level: `steady`, `moderate`, `large`, or `few` (too few rows to tell).
    """

    name: str
    psi: float
    chance: float
    rows: int
    missing_then: float
    missing_now: float
    level: str


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The report of `quorum drift`.

    Attributes:
        tenant, since, until: whose decisions, and from when.
        decisions: number of decisions in that period.
        sampled: number of decisions examined.
        foreign: of these, decisions on features of another schema.
        reference: the variant and version with whose training they are compared.
        trained_on: rows of the reference distributions.
        features, scores: the shift of each, the largest first.
        labelled: decisions with a label that are old enough for labels to be complete.
        calibration: model -> predicted and observed fraud.
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
        """The largest PSI of features and scores with enough rows; 0 without any."""
        measured = [s.psi for s in (*self.features, *self.scores) if s.level != "few"]
        return max(measured, default=0.0)

    def to_document(self) -> dict[str, Any]:
        """JSON-ready dict; NaN and infinity become None."""
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
    shift["verdict"] = shift.pop("level")
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
    """Compare a tenant's decisions of the last days with the training of `origin`.

    Args:
        plan: decides for the tenant: its own, or the house's.
        database_url: PostgreSQL; a replica will do.

    Raises:
        NothingDecided: there are no decisions.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    since = now - timedelta(days=days)
    features = origin.distributions.features
    width = len(features.names)
    async with (
        connection(database_url) as session,
        session.transaction(isolation="repeatable_read", readonly=True),
    ):
        total, parts = await sample(session, tenant, since, max_rows)
        found = [ScoredDecisions.of(rows, origin.schema_id, width) async for rows in parts]
    shown = shown_names(plan.deciding_variants)
    decided = ScoredDecisions.concat(found, width).of_plan(shown)
    if not len(decided):
        raise NothingDecided(f"tenant {tenant} got no decisions in the last {days:g} days")
    old_enough = _matured(decided, now)
    calibrated = [ENSEMBLE, *(shown[name] for name in plan.voters)]
    return DriftReport(
        tenant=tenant,
        since=since.isoformat(timespec="seconds"),
        until=now.isoformat(timespec="seconds"),
        decisions=total,
        sampled=len(decided),
        foreign=int((~decided.has_features).sum()),
        reference=f"{origin.variant} {origin.version}",
        trained_on=features.rows,
        features=_shifts(features, features.count(decided.values[decided.has_features])),
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


def _matured(decided: ScoredDecisions, now: datetime) -> Int64:
    """The positions of labelled decisions that are old enough."""
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
