"""Calibration maps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fraud.combine.calibrate import Calibration

knots = st.lists(st.floats(-10, 10), min_size=1, max_size=8, unique=True).flatmap(
    lambda xs: st.lists(st.floats(0, 1), min_size=len(xs), max_size=len(xs)).map(
        lambda ys: list(zip(sorted(xs), sorted(ys), strict=True))
    )
)


@given(knots, st.lists(st.floats(-20, 20), min_size=2, max_size=20))
def test_monotone_and_bounded(points, scores):
    found = Calibration(points)(np.sort(np.array(scores)))
    assert (np.diff(found) >= -1e-12).all()
    assert ((found >= 0) & (found <= 1)).all()


@pytest.mark.parametrize(
    "points",
    [[(0.0, 0.1), (0.0, 0.2)], [(0.0, 0.5), (1.0, 0.4)], [(0.0, 1.5)], [(float("inf"), 0.5)]],
)
def test_wrong_knots_are_refused(points):
    with pytest.raises(ValueError, match="knots"):
        Calibration(points)
