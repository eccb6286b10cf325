"""From probabilities and anomaly scores to outcomes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.combine.thresholds import outcome_of_row, outcomes
from fraud.ensemble import Thresholds

score = st.floats(0, 1) | st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.99, 1.0, float("nan")])


@given(st.lists(st.tuples(score, score)), st.sampled_from([None, 0.0, 0.99]))
def test_one_row_has_the_outcome_that_it_has_among_others(rows, anomaly_challenge):
    thresholds = Thresholds(0.1, 0.5, 0.9, anomaly_challenge)
    probability, anomaly = np.array(rows, dtype=np.float64).reshape(-1, 2).T
    found = outcomes(thresholds, probability, anomaly)
    assert found.dtype == np.int8
    assert found.tolist() == [outcome_of_row(thresholds, p, a) for p, a in rows]


@pytest.mark.parametrize(
    ("probability", "anomaly", "outcome"),
    [(0.1, 0.0, 1), (0.09, 0.99, 1), (0.09, 0.98, 0), (0.5, 1.0, 2), (float("nan"), 1.0, 1)],
)
def test_a_threshold_counts_as_reached_and_an_anomaly_challenges_only(
    probability, anomaly, outcome
):
    assert outcome_of_row(Thresholds(0.1, 0.5, 0.9, 0.99), probability, anomaly) == outcome
