"""Training-serving skew: features of served decisions against a backfill of the system of
record."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from data.history.label_history import LabelHistory
from decision_log.readers.decision_history import DecisionHistory, DecisionPart, LoadedPart
from features.backfill import backfill_chunk, joined
from features.definitions import FEATURES, SCHEMA_ID
from features.degraded import WITHOUT_HISTORY
from features.state.events import Events
from features.store.memory import MemoryStore
from fraud.payment.batch import Float32, Int64, TransactionBatch
from training.monitor.order_ambiguity import OrderAmbiguity, Touched, touched_by
from training.monitor.timeline import Timeline

CONCURRENT, LABEL_IN_FLIGHT = "concurrent", "label_in_flight"
_MOST_EXAMPLES = 10
_LOOKS_AT = [(f.entity or "request", f.family == "risk") for f in FEATURES]
"""For each feature: the role whose state it reads, and whether it depends on labels."""

Progress = Callable[[str, int, int], None]
"""Called with the stage (`warm`, `check`), rows done and total rows (0: unknown)."""


@dataclass(slots=True)
class FeatureSkew:
    """The differences of one feature.

    Attributes:
        rows: decisions in which it differs, `unexplained` of them without a known reason.
        largest: the largest difference in its unit, over rows where both values are numbers.
        one_missing: rows in which only one of the two values is a number.
    """

    name: str
    rows: int = 0
    unexplained: int = 0
    largest: float = 0.0
    one_missing: int = 0

    def add(self, served: float, recomputed: float) -> None:
        """Add one row."""
        self.rows += 1
        if math.isfinite(served) and math.isfinite(recomputed):
            self.largest = max(self.largest, abs(served - recomputed))
        else:
            self.one_missing += 1


@dataclass(slots=True)
class SkewReport:
    """The result of a check.

    Attributes:
        since, until: times of the first and the last decision examined; None without any.
        decisions: number of decisions examined.
        checked: of these, decisions compared bit for bit.
        degraded: decisions flagged as degraded, with fewer features since a store was down; not
            compared.
        other_schema: decisions on features of another schema; not compared.
        differ: checked decisions with a difference.
        explained: reason -> rows. `concurrent`: every entity whose features differ was touched by
            another decision at nearly the same time, and their order is not on record.
            `label_in_flight`: the same, or features of labels differ and a label became known at
            nearly the same time.
        unexplained: differing decisions without such a reason, which is skew.
        retries: repeated decisions on a payment; not computed again.
        retries_differ: retries with other features than the first decision, because those were no
            longer stored or the first decision was degraded.
        share: unexplained over checked, in [0, 1].
        loaded: payments loaded without a decision meanwhile. The check adds them at that time; the
            serving path sees them only in states that it rebuilds.
        labels: label events applied.
        features: the features that differ, most rows first.
        examples: some decision ids of unexplained rows.
    """

    tenant: str
    schema_id: str
    since: str | None = None
    until: str | None = None
    decisions: int = 0
    checked: int = 0
    degraded: int = 0
    other_schema: int = 0
    retries: int = 0
    retries_differ: int = 0
    differ: int = 0
    unexplained: int = 0
    share: float = 0.0
    loaded: int = 0
    labels: int = 0
    explained: dict[str, int] = field(default_factory=lambda: {CONCURRENT: 0, LABEL_IN_FLIGHT: 0})
    features: list[FeatureSkew] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The report, JSON-ready."""
        return asdict(self)


async def check_served(
    database_url: str,
    tenant: str,
    *,
    since: datetime | None = None,
    limit: int | None = None,
    progress: Progress = lambda *_: None,
) -> SkewReport:
    """Recompute the features of a tenant's newest decisions and compare them, bit for bit.

    Memory: the state of every entity, and some thousand rows.

    Args:
        since: only decisions from then on.
        limit: only the newest ones (and those of the same millisecond as the oldest of them).

    Raises:
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    started = time.monotonic()
    check = _Check(SkewReport(tenant, SCHEMA_ID))
    async with DecisionHistory.open(database_url, tenant) as history:
        period = await history.period(since, limit)
        if period is not None:
            first_ms = round(period.first_at.timestamp() * 1000)
            labels, loaded = Timeline(history.labels()), Timeline(history.loaded(period))
            await check.warm(history.before(period), progress)
            check.learn(await labels.take_until(first_ms - 1))
            async for part in history.decisions(period):
                last_ms = int(part.at_ms[-1])
                check.add(part, await loaded.take_until(last_ms), await labels.take_until(last_ms))
                progress("check", check.report.decisions, period.decisions)
    report = check.finished()
    report.seconds = round(time.monotonic() - started, 3)
    return report


@dataclass(frozen=True, slots=True)
class _Differing:
    """A decision whose features differ. `features`: int64[k], which ones."""

    decision_id: str
    at_ms: int
    touched: dict[str, Touched]
    features: Int64


class _Check:
    """A running check: the state so far, and what has been found."""

    def __init__(self, report: SkewReport) -> None:
        self.report = report
        self._store = MemoryStore()
        self._ambiguity = OrderAmbiguity()
        # Settled one part later: what came shortly after a decision matters, too.
        self._pending: list[_Differing] = []
        self._skew = [FeatureSkew(feature.name) for feature in FEATURES]

    async def warm(self, batches: AsyncIterator[TransactionBatch], progress: Progress) -> None:
        """Add the payments before the first decision."""
        rows = 0
        async for batch in batches:
            self._store.observe(Events.of(batch))
            rows += len(batch)
            progress("warm", rows, 0)

    def learn(self, labels: list[LabelHistory]) -> None:
        """Add the labels before the first decision."""
        for part in labels:
            self._store.learn_now(part.events)
            self.report.labels += len(part.events)

    def add(self, part: DecisionPart, loaded: list[LoadedPart], labels: list[LabelHistory]) -> None:
        """Check the next decisions, with the payments and labels that came meanwhile."""
        self._count(part)
        first = np.flatnonzero(~part.retry)
        batch, at_ms, places = _merged(part, first, loaded)
        known = joined([label.events for label in labels])
        effective_ms = np.concatenate([np.empty(0, np.int64), *(label.at_ms for label in labels)])
        self.report.labels += len(known)
        self.report.loaded += len(batch) - len(first)
        before = np.searchsorted(at_ms, effective_ms, side="left")
        values = backfill_chunk(self._store, batch, known, before).values[places]
        events = Events.of(batch)
        self._settle()
        self._ambiguity.add(events, at_ms, known, effective_ms.tolist())
        self._compare(part, first, values, [touched_by(events, i) for i in places.tolist()])

    def finished(self) -> SkewReport:
        """The report, after the last part."""
        self._settle()
        self._settle()
        report = self.report
        report.share = report.unexplained / max(report.checked, 1)
        differing = [feature for feature in self._skew if feature.rows]
        report.features = sorted(differing, key=lambda f: (-f.unexplained, -f.rows, f.name))
        return report

    def _count(self, part: DecisionPart) -> None:
        report = self.report
        report.since = report.since or _moment(int(part.at_ms[0]))
        report.until = _moment(int(part.at_ms[-1]))
        report.decisions += len(part)
        for retry, as_before in zip(part.retry, part.as_before, strict=True):
            # A retry uses the features of the first attempt as long as they are stored.
            report.retries += bool(retry)
            report.retries_differ += bool(retry and not as_before)

    def _compare(
        self,
        part: DecisionPart,
        rows: Int64,
        values: Float32,
        touched: list[dict[str, Touched]],
    ) -> None:
        """Compare bit for bit.

        Args:
            rows: int64[k], rows of `part` to compare.
            values: float32[k, n_features], their recomputed features.
            touched: the entities of each.
        """
        report = self.report
        for i, recomputed, roles in zip(rows.tolist(), values, touched, strict=True):
            if part.schema_id[i] != SCHEMA_ID:
                report.other_schema += 1
                continue
            if WITHOUT_HISTORY.intersection(part.degraded[i]):
                report.degraded += 1
                continue
            report.checked += 1
            if part.features[i] == recomputed.astype("<f4", copy=False).tobytes():
                continue
            served = np.frombuffer(part.features[i], dtype="<f4")
            differing = np.flatnonzero(served.view("<u4") != recomputed.view("<u4"))
            report.differ += 1
            for j in differing.tolist():
                self._skew[j].add(float(served[j]), float(recomputed[j]))
            self._pending.append(
                _Differing(part.decision_id[i], int(part.at_ms[i]), roles, differing)
            )

    def _settle(self) -> None:
        """Decide for each differing row whether the difference is explained."""
        for row in self._pending:
            reason = self._explained(row)
            if reason is not None:
                self.report.explained[reason] += 1
                continue
            self.report.unexplained += 1
            for j in row.features.tolist():
                self._skew[j].unexplained += 1
            if len(self.report.examples) < _MOST_EXAMPLES:
                self.report.examples.append(row.decision_id)
        self._pending.clear()

    def _explained(self, row: _Differing) -> str | None:
        """The reason that explains every differing feature; None if one is unexplained."""
        found = set()
        for role, of_labels in {_LOOKS_AT[j] for j in row.features.tolist()}:
            touched = row.touched.get(role)
            if touched is None:
                return None
            if self._ambiguity.concurrent(touched, row.at_ms):
                found.add(CONCURRENT)
            elif of_labels and self._ambiguity.label_in_flight(touched, row.at_ms):
                found.add(LABEL_IN_FLIGHT)
            else:
                return None
        return CONCURRENT if CONCURRENT in found else LABEL_IN_FLIGHT


def _merged(
    part: DecisionPart, rows: Int64, loaded: list[LoadedPart]
) -> tuple[TransactionBatch, Int64, Int64]:
    """The decisions `rows` of a part and the payments loaded among them, in order of arrival.

    Returns:
        n payments; int64[n], rising: their times of arrival; int64[k]: the positions of the
        decisions.
    """
    batch = part.batch if len(rows) == len(part) else part.batch.take(rows.tolist())
    if not loaded:
        return batch, part.at_ms[rows], np.arange(len(rows))
    at_ms = np.concatenate([*(one.at_ms for one in loaded), part.at_ms[rows]])
    order = np.argsort(at_ms, kind="stable")
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    whole = TransactionBatch.concat([*(one.batch for one in loaded), batch])
    return whole.take(order.tolist()), at_ms[order], places[len(order) - len(rows) :]


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
