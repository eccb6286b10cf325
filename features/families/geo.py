"""How far, and how fast, from where the customer was last and from where it usually is.

Positions are in millionths of a degree, as state keeps them. The home is a mean of coordinates: it
is wrong for a customer who lives astride the 180th meridian.
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
"""Fewer positions than these do not make a home."""

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
        here: float64[2, m]: latitudes, longitudes, in millionths of a degree.
        there: float64[2, k, m]: those of k places for each.

    Returns:
        float64[k, m], >= 0, at most half of the circumference; NaN where one of the four is.
    """
    # Sines and their like are numpy's, of whole arrays: no compiler has a say in their bits.
    halves, latitudes = np.empty(there.shape), np.empty((1 + there.shape[1], there.shape[2]))
    _angles(here, there, halves, latitudes)
    roots = _roots(np.sin(halves, out=halves), np.cos(latitudes, out=latitudes))
    angle: Float64 = 2.0 * np.arcsin(roots)
    return angle * EARTH_RADIUS_KM


@Compiled
def _positions(views: Views, here: Float64, there: Float64) -> bool:
    """Where the payments are made; the last positions and the homes of their customers, NaN where
    unknown: `here` and `there` are written. Whether any payment names a latitude."""
    named = False
    for k in range(len(views)):
        view = views[k]
        # Rounded as state rounds it: the same place is at distance zero.
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
    """Radians: halves of the differences to the other places, as `there`, and the latitudes, here
    and there; written."""
    for k in range(here.shape[1]):
        latitudes[0, k] = here[0, k] * 1e-6 * _RADIANS
        for p in range(there.shape[1]):
            latitudes[1 + p, k] = there[0, p, k] * 1e-6 * _RADIANS
            for axis in range(2):
                halves[axis, p, k] = (there[axis, p, k] - here[axis, k]) * 1e-6 * _RADIANS * 0.5


@Compiled
def _roots(sines: Float64, cosines: Float64) -> Float64:
    """float64[k, m]: halves of the chords."""
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
