from __future__ import annotations

import numpy as np
import pytest

from fraud.errors import NotTrainable
from training.config import RateConfig
from training.fit.thresholds import fit_thresholds


def test_thresholds_lie_between_scores_not_on_them() -> None:
    scores = np.linspace(0, 1, 1001)
    thresholds = fit_thresholds(scores, None, RateConfig())
    assert (scores >= thresholds.review).mean() <= 0.005
    assert not np.isin([thresholds.challenge, thresholds.review, thresholds.block], scores).any()


def test_a_highest_score_that_too_many_share_blocks_no_payment():
    scores = np.r_[np.linspace(0.0, 0.3, 996), np.full(4, 0.6)]
    thresholds = fit_thresholds(scores, scores, RateConfig())
    assert thresholds.review < 0.6 < thresholds.block < 1
    assert thresholds.anomaly_challenge == thresholds.block


def test_scores_that_are_all_equal_have_no_threshold() -> None:
    with pytest.raises(NotTrainable, match="share the highest score"):
        fit_thresholds(np.full(1000, 0.2), None, RateConfig())
