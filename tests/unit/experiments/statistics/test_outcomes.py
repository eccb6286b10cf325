"""What outcomes stop and interrupt."""

from __future__ import annotations

import numpy as np

from experiments.statistics.outcomes import interrupted, reviewed, stopped

OUTCOMES = np.array([0, 1, 2, 3], np.int8)


def test_what_an_outcome_stops() -> None:
    assert stopped(OUTCOMES, 0.25).tolist() == [0.0, 0.25, 1.0, 1.0]
    assert interrupted(OUTCOMES).tolist() == [0.0, 1.0, 1.0, 1.0]
    assert reviewed(OUTCOMES).tolist() == [0.0, 0.0, 1.0, 1.0]
