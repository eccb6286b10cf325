"""Rank correlations of the models of an ensemble."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from bulk.scoring.summary.agreement import mean_agreement, rank_correlations


def test_correlations_are_spearmans():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 20, 500).astype(np.float32)
    b = (a + rng.normal(scale=5, size=500)).round().astype(np.float32)
    b[::9] = np.nan
    found = rank_correlations([a, b, -a])
    known = ~np.isnan(b)
    assert found[0, 1] == pytest.approx(spearmanr(a[known], b[known]).statistic)
    assert found[0, 2] == pytest.approx(-1)
    assert found[1, 1] == 1
    assert mean_agreement(found) == pytest.approx(found[np.tril_indices(3, -1)].mean())


def test_what_cannot_be_compared_is_unknown():
    a = np.arange(200, dtype=np.float32)
    flat = np.zeros(200, np.float32)
    apart = np.where(np.arange(200) < 50, a, np.nan).astype(np.float32)
    assert np.isnan(rank_correlations([a, flat])[0, 1])
    assert np.isnan(rank_correlations([a, apart])[0, 1])
    assert mean_agreement(rank_correlations([a, flat])) is None
    assert mean_agreement(rank_correlations([a])) is None
