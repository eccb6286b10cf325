from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.families.geo import EARTH_RADIUS_KM, kilometres
from features.families.view import Position
from tests.contracts.aggregates import features_of, payment, saw

BERLIN, PARIS = (52.520008, 13.404954), (48.856613, 2.352222)
latitudes, longitudes = st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000)


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    here, there = np.array([[a[0]], [a[1]]]), np.array([[[b[0]]], [[b[1]]]])
    return float(kilometres(np.rint(here * 1e6), np.rint(there * 1e6))[0, 0])


def geo(at: tuple[float | None, float | None], position: list[int]) -> tuple[float, float, float]:
    """km and km/h from the last position, km from home."""
    latitude, longitude = at
    seen = saw("customer", position=Position(*(np.array([v], dtype=np.int64) for v in position)))
    got = features_of(payment(latitude=latitude, longitude=longitude), seen)
    names = ("km_from_last", "kmh_from_last", "km_from_home")
    one, two, three = (got[f"customer_{name}"][0] for name in names)
    return one, two, three


def micro(degrees: float) -> int:
    return round(degrees * 1e6)


def test_distances_that_are_known() -> None:
    assert distance(BERLIN, PARIS) == pytest.approx(877.5, abs=0.5)
    assert distance(BERLIN, BERLIN) == 0
    assert distance((0, 0), (0, 180)) == pytest.approx(math.pi * EARTH_RADIUS_KM)
    assert distance((90, 0), (-90, 77)) == pytest.approx(math.pi * EARTH_RADIUS_KM)
    assert distance((0, 179.5), (0, -179.5)) == pytest.approx(math.pi * EARTH_RADIUS_KM / 180)


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_against_the_angle_between_two_vectors(a: int, b: int, c: int, d: int) -> None:
    def vector(latitude: int, longitude: int) -> tuple[float, float, float]:
        y, x = math.radians(latitude / 1e6), math.radians(longitude / 1e6)
        return math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)

    one, other = vector(a, b), vector(c, d)
    chord, sum_of_both = (
        math.dist(one, other),
        math.hypot(*(p + q for p, q in zip(one, other, strict=True))),
    )
    angle = 2 * math.atan2(chord, sum_of_both)
    got = distance((a / 1e6, b / 1e6), (c / 1e6, d / 1e6))
    assert got == pytest.approx(angle * EARTH_RADIUS_KM, rel=1e-6, abs=1e-4)
    assert got == pytest.approx(distance((c / 1e6, d / 1e6), (a / 1e6, b / 1e6)), abs=1e-6)


def test_distance_and_speed_from_the_last_position_and_from_home() -> None:
    # Last in Paris half an hour ago; at home, 4 times, in Berlin.
    half_hour = 1_800_000
    home = [4, 4 * micro(BERLIN[0]), 4 * micro(BERLIN[1])]
    km, kmh, from_home = geo(BERLIN, [micro(PARIS[0]), micro(PARIS[1]), half_hour, *home])
    assert km == pytest.approx(distance(BERLIN, PARIS))
    assert kmh == pytest.approx(2 * km)
    assert from_home == 0


def test_speed_counts_a_minute_at_least() -> None:
    km, kmh, _ = geo(BERLIN, [micro(PARIS[0]), micro(PARIS[1]), 0, 0, 0, 0])
    assert kmh == pytest.approx(60 * km)


def test_two_positions_do_not_make_a_home() -> None:
    assert math.isnan(geo(BERLIN, [0, 0, 1000, 2, 0, 0])[2])
    assert geo(BERLIN, [0, 0, 1000, 3, 0, 0])[2] > 0


@pytest.mark.parametrize("at", [(None, None), (52.5, None), (None, 13.4)])
def test_a_payment_without_coordinates_is_nowhere(at: tuple[float | None, float | None]) -> None:
    assert all(math.isnan(v) for v in geo(at, [0, 0, 1000, 5, 0, 0]))


def test_a_history_without_coordinates_is_nowhere() -> None:
    assert all(math.isnan(v) for v in geo(BERLIN, [0, 0, -1, 0, 0, 0]))
