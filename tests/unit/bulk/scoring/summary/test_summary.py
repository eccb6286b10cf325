"""The parts of a job's summary."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bulk.jobs.options import JobOptions
from bulk.scoring.combining.recalibration import recalibrate
from bulk.scoring.plan import PlannedArtifact
from bulk.scoring.summary.summary import (
    level_counts,
    model_table,
    rate_summary,
    score_summary,
    short_answer,
)
from tests.contracts.scored_jobs import plan, planned

MODEL = planned("cards@0123456789ab", "tabular", [], PlannedArtifact("x", "0" * 64, "/x"), None)


def f32(*values):
    return np.array(values, np.float32)


def test_quantiles_and_histogram():
    found = score_summary(f32(*np.linspace(0, 1, 1001), np.nan))
    assert sum(found["counts"]) == 1001
    assert len(found["counts"]) == 40 == len(found["edges"]) - 1
    assert (found["edges"][0], found["edges"][-1]) == (0, 1)
    assert dict(map(tuple, found["quantiles"]))[0.95] == pytest.approx(0.95)
    assert found["mean"] == pytest.approx(0.5)


def test_a_file_without_scores():
    found = score_summary(f32(np.nan))
    assert found["mean"] is None
    assert found["quantiles"] == []
    nothing = recalibrate(np.full(1, np.nan), 0.1, [MODEL], [f32(np.nan)], None)
    assert rate_summary(nothing) == {
        "estimate": None,
        "low": None,
        "high": None,
        "method": "mean-probability",
    }


def test_levels_are_counted():
    counts = level_counts(np.array([2, 0, 0, -1, 1], np.int8))
    assert counts == {"high": 1, "medium": 1, "low": 2, "unscored": 1}


def test_the_short_answer_counts_what_the_result_predicts():
    probability = f32(0.6, 0.5, 0.1, np.nan)
    counts = {"high": 2, "medium": 1, "low": 0, "unscored": 1}
    told = recalibrate(probability.astype(np.float64), 0.1, [MODEL], [probability], None)
    found = short_answer(plan([MODEL]), JobOptions(), probability, counts, told)
    assert found["stats"] == {
        "total": 4,
        "scored": 3,
        "frauds": 2,
        "fraud_rate": pytest.approx(2 / 3, abs=1e-6),
        "high_risk": 2,
        "medium_risk": 1,
        "low_risk": 0,
    }
    assert found["methods_used"] == ["supervised", "isolation-forest"]


def test_each_model_says_how_much_it_agrees_with_the_others():
    other = replace(MODEL, reference="other@ba9876543210")
    scores = {"cards@0123456789ab": f32(0.2, 0.4), other.reference: f32(0.1, np.nan)}
    overlap = np.array([[1.0, np.nan], [np.nan, 1.0]])
    found = model_table(plan([MODEL, other]), scores, overlap)
    assert [one["rows"] for one in found] == [2, 1]
    assert found[0]["mean"] == pytest.approx(0.3)
    assert found[0]["agreement"] == {}
    overlap[:] = 0.5
    found = model_table(plan([MODEL, other]), scores, overlap)
    assert found[0]["agreement"] == {"other@ba9876543210": 0.5}
