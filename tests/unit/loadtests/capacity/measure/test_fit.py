"""Lines fitted to costs."""

from __future__ import annotations

import numpy as np
import pytest

from loadtests.capacity.measure.fit import Line, line


def test_a_line_is_found_again() -> None:
    rows = (1, 4, 16, 64)
    found = line(rows, [160 + 50 * n for n in rows])
    assert found.call == pytest.approx(160)
    assert found.row == pytest.approx(50)
    assert found.of(10) == pytest.approx(660)
    assert found.each(10) == pytest.approx(66)


def test_a_small_micro_batch_counts_as_much_as_a_large_one() -> None:
    # By absolute errors the largest alone would decide: it would be met, and the smallest missed.
    rows, costs = (1, 8, 64), [100.0, 170.0, 600.0]
    found = line(rows, costs)
    assert all(abs(found.of(n) / cost - 1) < 0.12 for n, cost in zip(rows, costs, strict=True))
    slope, start = np.polyfit(rows, costs, 1)
    assert abs(slope + start - 100) > abs(found.of(1) - 100)


@pytest.mark.parametrize(
    ("costs", "wanted"),
    [([0.9, 4.0, 16.5], (0.0, 1.0)), ([30.0, 28.0, 10.0], (13.6, 0.0))],
)
def test_no_cost_is_negative(costs: list[float], wanted: tuple[float, float]) -> None:
    found = line((1, 4, 16), costs)
    assert found.call == pytest.approx(wanted[0], abs=0.1)
    assert found.row == pytest.approx(wanted[1], abs=0.1)
    assert found.call >= 0
    assert found.row >= 0


def test_a_line_is_a_value() -> None:
    assert Line(1.0, 2.0) == Line(1.0, 2.0)
