"""Figures by counting are those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from training.metrics.counts import average_precision_by_counts, roc_auc_by_counts

rows = st.lists(st.tuples(st.booleans(), st.integers(0, 12)), min_size=1, max_size=60)


@given(rows)
def test_they_are_the_published_figures_ties_included(rows):
    fraud = np.array([*(f for f, _ in rows), True, False], np.float32)
    score = np.array([*(s for _, s in rows), 3, 5]) / 12
    precision = average_precision_by_counts(fraud, score)
    assert precision == pytest.approx(average_precision_score(fraud, score), abs=1e-12)
    assert roc_auc_by_counts(fraud, score) == pytest.approx(roc_auc_score(fraud, score), abs=1e-12)
