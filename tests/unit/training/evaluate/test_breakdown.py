from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from training.evaluate.breakdown import OTHER, TOO_FEW_FRAUDS, Breakdown
from training.metrics.cases import cases
from training.metrics.metrics import evaluate
from training.sets.split import DAY_MS

START_MS = 19_000 * DAY_MS  # 2022-01-08


def breakdown(n: int = 4_000, days: int = 16) -> tuple[Breakdown, list[str]]:
    rng = np.random.default_rng(2)
    fraud = (rng.random(n) < 0.05).astype(float)
    probability = np.clip(0.05 + 0.2 * fraud + rng.normal(0, 0.05, n), 0, 1)
    at = START_MS + 5 * 3_600_000 + np.arange(n, dtype=np.int64) * (days * DAY_MS // n)
    ids = [f"c{i}" for i in rng.integers(0, 90, n)]
    country = [f"k{min(int(k), 19):02d}" for k in rng.geometric(0.25, n)]
    of = cases(fraud, ids, at, np.ones(n), {"country": country})
    scores = {"a": probability, "b": rng.random(n)}
    return Breakdown(scores, of, frozenset({"a"}), ("a",), resamples=40), ids


def test_weeks_begin_with_the_first_day_and_are_measured_alone() -> None:
    cuts, ids = breakdown()
    weeks = cuts.by_week()
    assert [week.name for week in weeks] == ["2022-01-08", "2022-01-15", "2022-01-22"]
    of = cuts.of
    second = (of.timestamp_ms >= START_MS + 7 * DAY_MS) & (of.timestamp_ms < START_MS + 14 * DAY_MS)
    rows = np.flatnonzero(second)
    assert weeks[1].rows == rows.size
    expected = evaluate(
        cuts.scores["a"][rows], of.fraud[rows], [ids[i] for i in rows], of.timestamp_ms[rows]
    )
    assert weeks[1].models["a"] == {name: expected[name] for name in weeks[1].models["a"]}
    assert set(weeks[1].models["b"]) == {"average_precision", "recall_at_review_0.01"}
    interval = weeks[1].intervals["a"]
    assert interval.low < weeks[1].models["a"]["average_precision"] < interval.high
    assert "b" not in weeks[1].intervals


def test_segments_name_the_most_frequent_values_and_gather_the_others() -> None:
    cuts, _ = breakdown()
    values = cuts.by_segment()["country"]
    assert len(values) == 13
    assert [v.rows for v in values[:12]] == sorted((v.rows for v in values[:12]), reverse=True)
    assert values[-1].name == OTHER
    assert sum(v.rows for v in values) == len(cuts.of)
    largest = cuts.of.segments["country"] == values[0].name
    precision = average_precision_score(cuts.of.fraud[largest], cuts.scores["a"][largest])
    assert values[0].models["a"]["average_precision"] == pytest.approx(precision, abs=1e-9)


def test_too_few_frauds_give_no_figures() -> None:
    cuts, _ = breakdown()
    values = cuts.by_segment()["country"]
    few = [v for v in values if v.frauds < TOO_FEW_FRAUDS]
    assert few
    assert all(v.too_few and not v.models and not v.intervals for v in few)
    assert not any(v.too_few for v in values if v.frauds >= TOO_FEW_FRAUDS)
