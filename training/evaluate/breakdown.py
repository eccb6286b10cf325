"""Figures by week and by segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from fraud.payment.batch import Float64, Int64
from training.metrics.bootstrap import Interval, precision_interval
from training.metrics.cases import Cases
from training.metrics.metrics import Gauge, rounded
from training.metrics.ranking import Ranking
from training.sets.split import DAY_MS

WEEK_MS = 7 * DAY_MS
TOO_FEW_FRAUDS = 10
MAX_VALUES = 12
OTHER = "(other)"
NONE = "(none)"
FIGURES = ("average_precision", "recall_at_review_0.01", "calibration_error")


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the test rows.

    Attributes:
        name: first day of the week, or value of the segment.
        rows, frauds: their numbers.
        models: model -> its figures among `FIGURES`; empty with fewer than ten frauds or with only
            fraud, as such figures say nothing.
        intervals: model -> 95 % interval of its average precision, for the requested models.
    """

    name: str
    rows: int
    frauds: int
    models: dict[str, dict[str, float]]
    intervals: dict[str, Interval]

    @property
    def too_few(self) -> bool:
        """Whether there are too few frauds for figures."""
        return not self.models


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Cuts rows into slices and measures every model on each.

    Attributes:
        scores: model -> float64[n].
        of: the rows.
        probabilities: models whose scores are probabilities.
        with_intervals: models whose average precision gets an interval in each slice.
        resamples, seed: of the intervals.
    """

    scores: Mapping[str, Float64]
    of: Cases
    probabilities: frozenset[str]
    with_intervals: tuple[str, ...] = ()
    resamples: int = 100
    seed: int = 0

    def by_week(self) -> tuple[Slice, ...]:
        """Spans of seven days from the first day of the rows, in order; the last may be shorter."""
        start_ms = int(self.of.timestamp_ms.min()) // DAY_MS * DAY_MS
        week = (self.of.timestamp_ms - start_ms) // WEEK_MS
        return tuple(
            self._slice(_day(start_ms + int(number) * WEEK_MS), np.flatnonzero(week == number))
            for number in np.unique(week)
        )

    def by_segment(self) -> dict[str, tuple[Slice, ...]]:
        """Slices by each segment: the twelve values with the most rows, and all others together."""
        return {name: self._values(name) for name in self.of.segments}

    def _values(self, segment: str) -> tuple[Slice, ...]:
        texts = np.array([NONE if v is None else v for v in self.of.segments[segment]], np.str_)
        values, code, counts = np.unique(texts, return_inverse=True, return_counts=True)
        by_rows = np.argsort(-counts, kind="stable")
        shown = by_rows[:MAX_VALUES]
        slices = [self._slice(str(values[v]), np.flatnonzero(code == v)) for v in shown]
        rest = np.flatnonzero(np.isin(code, by_rows[MAX_VALUES:]))
        return (*slices, self._slice(OTHER, rest)) if rest.size else tuple(slices)

    def _slice(self, name: str, rows: Int64) -> Slice:
        of = self.of.take(rows)
        frauds = int(of.fraud.sum())
        if frauds < TOO_FEW_FRAUDS or frauds == rows.size:
            return Slice(name, int(rows.size), frauds, {}, {})
        gauges = {
            model: Gauge(score[rows], of, model in self.probabilities)
            for model, score in self.scores.items()
        }
        models = {model: _chosen(gauge) for model, gauge in gauges.items()}
        precision = {}
        for model in self.with_intervals:
            ranking = Ranking(self.scores[model][rows], of.fraud)
            found = precision_interval(ranking, of.cluster, self.resamples, self.seed)
            if found is not None:
                precision[model] = found
        return Slice(name, int(rows.size), frauds, models, precision)


def _chosen(gauge: Gauge) -> dict[str, float]:
    figures = rounded(gauge.figures())
    return {name: figures[name] for name in FIGURES if name in figures}


def _day(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
