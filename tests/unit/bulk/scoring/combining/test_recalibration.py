"""Probabilities are adjusted only where it is safe, and the reason is told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bulk.scoring.combining.recalibration import recalibrate
from bulk.scoring.plan import PlannedArtifact
from tests.contracts.scored_jobs import planned

PRIOR = 0.03
MODEL = planned("cards@0123456789ab", "tabular", [], PlannedArtifact("x", "0" * 64, "/x"), None)


def probabilities(share, rows=20_000, seed=1):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows) + 2 * (rng.random(rows) < share)
    ratio = np.exp(2 * x - 2)
    return PRIOR * ratio / (PRIOR * ratio + 1 - PRIOR)


def test_a_shift_is_followed():
    p = probabilities(0.1)
    found = recalibrate(p, PRIOR, [MODEL], [p.astype(np.float32)], None)
    assert found.code == "done"
    assert found.low <= 0.1 <= found.high
    assert found.probability.mean() == pytest.approx(found.share, rel=0.01)
    assert (np.argsort(found.probability) == np.argsort(p)).all()
    assert found.summary()["done"] is True


@pytest.mark.parametrize("seed", range(5))
def test_without_a_shift_nothing_moves(seed):
    p = probabilities(PRIOR, seed=seed)
    found = recalibrate(p, PRIOR, [MODEL], [p.astype(np.float32)], 0.8)
    assert found.code == "no-shift"
    assert np.array_equal(found.probability, p)
    assert found.low <= PRIOR <= found.high


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("few-rows", {"probability": probabilities(0.1, rows=500)}),
        ("weak-models", {"models": [replace(MODEL, metrics={"roc_auc": 0.6})]}),
        ("weak-models", {"models": [replace(MODEL, metrics={})]}),
        ("other-domain", {"models": [replace(MODEL, domain_auc=0.97)]}),
        ("disagreement", {"agreement": 0.1}),
        ("not-converged", {"probability": np.full(5000, PRIOR * 0.9995)}),
        ("out-of-bounds", {"probability": probabilities(0.7)}),
        ("out-of-bounds", {"probability": np.full(5000, 1e-6)}),
        ("not-asked", {"wanted": False}),
    ],
)
def test_where_it_is_not_safe_nothing_moves_and_the_reason_is_told(code, change):
    given = {"probability": probabilities(0.1), "models": [MODEL], "agreement": None, **change}
    p = given.pop("probability")
    found = recalibrate(p, PRIOR, scores=[p.astype(np.float32)], **given)
    assert found.code == code
    assert found.reason
    assert np.array_equal(found.probability, p)
    assert found.low <= found.share <= found.high


def test_models_that_contradict_each_other_widen_the_interval():
    p, other = probabilities(0.1), probabilities(0.04).astype(np.float32)
    alone = recalibrate(p, PRIOR, [MODEL], [p.astype(np.float32)], None)
    found = recalibrate(p, PRIOR, [MODEL, MODEL], [p.astype(np.float32), other], 0.9)
    assert found.share == alone.share
    assert found.low < 0.05 < alone.low
    assert found.high == alone.high


def test_where_nothing_is_adjusted_models_that_differ_widen_the_interval_too():
    p, other = probabilities(0.1), probabilities(0.02).astype(np.float32)
    found = recalibrate(p, PRIOR, [MODEL, MODEL], [p.astype(np.float32), other], 0.1)
    assert (found.code, found.method) == ("disagreement", "mean-probability")
    assert found.share == pytest.approx(p.mean())
    assert found.low < other.mean() < 0.9 * found.share < found.share < found.high


def test_rows_without_a_score_stay_unknown():
    p = probabilities(0.1)
    p[::7] = np.nan
    found = recalibrate(p, PRIOR, [MODEL], [p.astype(np.float32)], None)
    assert found.code == "done"
    assert np.array_equal(np.isnan(found.probability), np.isnan(p))


def test_no_scores_at_all():
    found = recalibrate(np.full(3, np.nan), PRIOR, [MODEL], [np.full(3, np.nan, np.float32)], None)
    assert found.code == "few-rows"
    assert np.isnan([found.share, found.low, found.high]).all()
