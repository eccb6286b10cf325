"""Several models, one probability."""

from __future__ import annotations

import numpy as np
import pytest

from bulk.scoring.combining.ensemble import Ensemble, Member


def f32(*values):
    return np.array(values, np.float32)


def test_one_model_is_left_as_it_is():
    found = Ensemble([Member("a", 0.3, 0.02)]).combine([f32(0.01, 0.5, np.nan)])
    assert found.probability[:2] == pytest.approx([0.01, 0.5], abs=1e-6)
    assert np.isnan(found.probability[2])
    assert np.isnan(found.uncertainty).all()
    assert found.models.tolist() == [1, 1, 0]


def test_a_model_without_a_score_is_left_out_of_that_row_only():
    ensemble = Ensemble([Member("a", 1, 0.1), Member("b", 3, 0.1)])
    found = ensemble.combine([f32(0.2, 0.2), f32(0.4, np.nan)])
    assert 0.2 < found.probability[0] < 0.4
    assert found.probability[1] == pytest.approx(0.2, abs=1e-6)
    assert found.models.tolist() == [2, 1]
    assert found.uncertainty[0] > 0
    assert np.isnan(found.uncertainty[1])


def test_uncertainty_is_the_weighted_deviation():
    ensemble = Ensemble([Member("a", 1, 0.1), Member("b", 3, 0.1)])
    found = ensemble.combine([f32(0.2), f32(0.6)])
    assert found.uncertainty[0] == pytest.approx(np.sqrt(0.25 * 0.3**2 + 0.75 * 0.1**2))


def test_heavier_models_count_more():
    low, high = (
        Ensemble([Member("a", w, 0.1), Member("b", 1, 0.1)]).combine([f32(0.1), f32(0.9)])
        for w in (3, 1 / 3)
    )
    assert low.probability[0] < 0.5 < high.probability[0]


def test_models_of_different_sets_are_compared_at_the_same_share_of_fraud():
    # Both say that the row is as likely fraud as any: their probabilities are their priors.
    ensemble = Ensemble([Member("rare", 1, 0.001), Member("frequent", 1, 0.2)])
    found = ensemble.combine([f32(0.001, 0.001, np.nan), f32(0.2, np.nan, 0.2)])
    assert found.probability == pytest.approx([ensemble.prior] * 3, rel=1e-4)
    assert 0.001 < ensemble.prior < 0.2
    # So they agree, and the spread says so.
    assert found.uncertainty[0] == pytest.approx(0, abs=1e-6)


def test_certain_models_do_not_overrule_the_others():
    found = Ensemble([Member("a", 1, 0.1), Member("b", 1, 0.1)]).combine([f32(0, 1), f32(1, 1)])
    assert found.probability == pytest.approx([0.5, 1])
