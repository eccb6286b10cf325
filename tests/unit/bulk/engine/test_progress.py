"""The speed of a job."""

from __future__ import annotations

import pytest

from bulk.engine.progress import WINDOW_S, Speed


def test_the_speed_is_unknown_until_rows_are_done() -> None:
    speed = Speed()
    assert speed.rows_per_s() is None
    speed.note(0, 0.0)
    speed.note(0, 1.0)
    assert speed.rows_per_s() is None
    speed.note(500, 2.0)
    assert speed.rows_per_s() == pytest.approx(250)


def test_only_the_last_moments_count() -> None:
    speed = Speed()
    for second in range(101):
        speed.note(1000 * min(second, 50) + 10 * max(0, second - 50), float(second))
    assert speed.rows_per_s() == pytest.approx(10)
    assert WINDOW_S < 50


def test_parts_that_end_seldom_give_a_steady_speed() -> None:
    speed = Speed()
    for second in range(0, 301, 100):
        speed.note(50 * second, float(second))
    assert speed.rows_per_s() == pytest.approx(50)
