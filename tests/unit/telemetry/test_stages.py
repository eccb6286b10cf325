"""Stages and their times, under the names that metrics and responses share."""

from __future__ import annotations

import numpy as np

from fraud.decision import Vote
from fraud.stage import FEATURES, VOTES
from telemetry.stages import Stages


def test_laps_parts_and_votes_lie_in_the_order_in_which_they_passed():
    watch = Stages()
    watch.lap(FEATURES)
    watch.within({"redis": 0.5, "assemble": 0.25})
    watch.lap(VOTES)
    watch.votes(
        [
            Vote("xgboost", "v", "ok", np.array([0.5]), 1.5),
            Vote("logistic", "", "late", None, 100.0),
        ]
    )
    assert list(watch.ms) == ["features", "redis", "assemble", "votes", "variant:xgboost"]
    assert watch.ms["variant:xgboost"] == 1.5
    assert min(watch.ms.values()) >= 0
