"""Distance and speed from the customer's last position, and distance from the usual one.

Positions are in millionths of a degree, as in the state. The home is a mean of coordinates, which
is wrong for customers on both sides of the 180th meridian.
"""

from __future__ import annotations

import math

import numpy as np

from features.families.view import Views
from features.state.compiled import Compiled
from features.state.windows import HOUR_MS, MINUTE_MS
from fraud.payment.batch import Float32, Float64

EARTH_RADIUS_KM = 6371.0088
"""Mean radius, IUGG."""

HOME_POSITIONS = 3
"""The fewest positions that make a home."""

_RADIANS = math.pi / 180.0


def columns(values: Float32, start: int, views: Views) -> None:
    """3 columns: km from the last position, km/h from there, km from the mean position of 60 d; NaN
    where a coordinate is missing."""
    here, there = np.empty((2, len(views))), np.empty((2, 2, len(views)))
    if _positions(views, here, there):
        _write(values, start, views, kilometres(here, there))


def kilometres(here: Float64, there: Float64) -> Float64:
    """Great-circle distances by the haversine formula (Sinnott, Sky and Telescope 68, 1984).

    Args:
        here: float64[2, m]: latitudes and longitudes in millionths of a degree.
        there: float64[2, k, m]: the same of k places for each.

    Returns:
        float64[k, m], >= 0, at most half of the circumference; NaN where a coordinate is NaN.
    """
    # Trigonometry is left to NumPy: its bits do not depend on a compiler.
    halves, latitudes = np.empty(there.shape), np.empty((1 + there.shape[1], there.shape[2]))
    _angles(here, there, halves, latitudes)
    roots = _roots(np.sin(halves, out=halves), np.cos(latitudes, out=latitudes))
    angle: Float64 = 2.0 * np.arcsin(roots)
    return angle * EARTH_RADIUS_KM


@Compiled
def _positions(views: Views, here: Float64, there: Float64) -> bool:
    """Write the positions of the payments to `here`, the last positions and homes of their
    customers to `there`; NaN where unknown. Returns whether any payment has a latitude."""
    named = False
    for k in range(len(views)):
        view = views[k]
        # Rounded as in the state, so that the same place is at distance zero.
        here[0, k], here[1, k] = np.rint(view.latitude * 1e6), np.rint(view.longitude * 1e6)
        named |= not np.isnan(view.latitude)
        there[0, 0, k] = view.position_lat_e6 if view.position_since_ms >= 0 else np.nan
        there[1, 0, k] = view.position_lon_e6
        n = float(view.position_home_n) if view.position_home_n >= HOME_POSITIONS else np.nan
        there[0, 1, k] = view.position_home_lat_e6_sum / n
        there[1, 1, k] = view.position_home_lon_e6_sum / n
    return named


@Compiled
def _angles(here: Float64, there: Float64, halves: Float64, latitudes: Float64) -> None:
    """Write in radians half of the differences to the other places, shaped as `there`, and the
    latitudes here and there."""
    for k in range(here.shape[1]):
        latitudes[0, k] = here[0, k] * 1e-6 * _RADIANS
        for p in range(there.shape[1]):
            latitudes[1 + p, k] = there[0, p, k] * 1e-6 * _RADIANS
            for axis in range(2):
                halves[axis, p, k] = (there[axis, p, k] - here[axis, k]) * 1e-6 * _RADIANS * 0.5


@Compiled
def _roots(sines: Float64, cosines: Float64) -> Float64:
    """float64[k, m]: half of the chords."""
    roots = np.empty(sines.shape[1:])
    for p in range(sines.shape[1]):
        for k in range(sines.shape[2]):
            south_north, west_east = sines[0, p, k], sines[1, p, k]
            parallels = cosines[0, k] * cosines[1 + p, k]
            square = south_north * south_north + parallels * (west_east * west_east)
            roots[p, k] = 1.0 if square > 1.0 else np.sqrt(square)
    return roots


@Compiled
def _write(values: Float32, start: int, views: Views, km: Float64) -> None:
    for k in range(len(views)):
        view = views[k]
        out = values[view.row, start:]
        out[0] = km[0, k]
        out[1] = km[0, k] / (max(view.position_since_ms, MINUTE_MS) / HOUR_MS)
        out[2] = km[1, k]
