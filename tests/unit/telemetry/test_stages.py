"""Stages and their times, under the names that metrics and responses share."""

from __future__ import annotations

import numpy as np

from fraud.decision import Vote
from telemetry import stages
from telemetry.stages import FEATURES, VOTES, Stages


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


def test_every_stage_is_documented():
    names = [
        *(stages.PARSE, stages.AUTH, stages.LIMIT, stages.WAIT, stages.FEATURES, stages.REDIS),
        *(stages.ASSEMBLE, stages.VOTES, stages.COMBINE, stages.EXPLAIN, stages.LOG),
        stages.REPLY,
    ]
    assert len(set(names)) == len(names)
    assert stages.__doc__ is not None
    for name in names:
        assert f"`{name}`" in stages.__doc__
