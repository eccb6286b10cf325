"""Growth of measures, and tables of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.bench.scale.point import CUSTOMERS, HISTORY, REPLICAS, Point, growth
from loadtests.bench.scale.table import draw, flat, markdown


def customers(first: float, last: float) -> list[Point]:
    return [
        Point(CUSTOMERS, 1_000_000, {"Redis µs a row": last, "client µs a row": 50.0}),
        Point(CUSTOMERS, 1_000, {"Redis µs a row": first, "client µs a row": 50.0}),
    ]


def test_growth_is_from_the_smallest_to_the_largest_whatever_the_order() -> None:
    assert growth(customers(40.0, 80.0), "Redis µs a row") == 2.0


def test_flat_is_flat_but_for_noise() -> None:
    assert flat(customers(40.0, 48.0))
    assert flat(customers(40.0, 20.0))
    assert not flat(customers(40.0, 60.0))
    assert flat(customers(40.0, 80.0)[:1])
    assert flat([Point(REPLICAS, 1, {"x": 1.0}), Point(REPLICAS, 4, {"x": 9.0})])
    costs = ({"Redis µs a row": 9.0, "client µs a row": ours} for ours in (1.0, 2.0))
    assert not flat([Point(HISTORY, size, of) for size, of in zip((10, 99), costs, strict=True)])


@pytest.mark.parametrize(("full", "wanted"), [(300.0, True), (900.0, False)])
def test_a_state_that_is_not_full_yet_may_be_cheaper(full: float, wanted: bool) -> None:
    costs = [(10, 40.0, full), (100, 70.0, 950.0), (1000, 72.0, 1000.0)]
    points = [
        Point(HISTORY, n, {"Redis µs a row": c, "client µs a row": c, "state bytes": kept})
        for n, c, kept in costs
    ]
    assert flat(points) is wanted


def test_tables_say_so() -> None:
    text = markdown(customers(40.0, 80.0))
    assert "| 1,000 | 40 | 50 |\n| 1,000,000 | 80 | 50 |" in text
    assert "Redis µs a row: GROWS, x 2.00; client µs a row: flat, x 1.00" in text
    assert REPLICAS not in text


@pytest.mark.slow
def test_the_picture_is_one(tmp_path: Path) -> None:
    replicas = [Point(REPLICAS, n, {"x": 1.0, "none at first": n - 1.0}) for n in (1, 2)]
    draw([*customers(1.0, 2.0), *replicas], tmp_path / "scale.png")
    assert (tmp_path / "scale.png").read_bytes().startswith(b"\x89PNG")
