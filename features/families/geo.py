"""How far, and how fast, from where the customer was last and from where it usually is.

Positions are in millionths of a degree, as state keeps them. The home is a mean of coordinates: it
is wrong for a customer who lives astride the 180th meridian.
"""

from __future__ import annotations

import numpy as np

from features.families.history import History
from features.families.rows import Rows
from features.windows import HOUR_MS, MINUTE_MS
from fraud.batch import Float64

EARTH_RADIUS_KM = 6371.0088
"""Mean radius, IUGG."""

HOME_POSITIONS = 3
"""Fewer positions than these do not make a home."""


def columns(rows: Rows, customer: History) -> Float64:
    """float64[n, 3]: km from the last position, km/h from there, km from the mean position of 60 d;
    NaN where a coordinate is missing."""
    seen = customer.position
    block = np.full((len(rows), 3), np.nan)
    batch = rows.batch
    latitude, longitude = _millionths(batch.latitude), _millionths(batch.longitude)
    if np.isnan(latitude).all():
        return block
    met = seen.since_ms >= 0
    home = np.where(seen.home_n >= HOME_POSITIONS, seen.home_n, np.nan)
    there = np.empty((2, 2, len(rows)))
    there[0, 0] = np.where(met, seen.lat_e6, np.nan)
    there[1, 0] = seen.lon_e6
    there[0, 1] = seen.home_lat_e6_sum / home
    there[1, 1] = seen.home_lon_e6_sum / home
    km = kilometres(latitude, longitude, there[0], there[1])
    block[:, 0] = km[0]
    block[:, 1] = km[0] / (np.maximum(seen.since_ms, MINUTE_MS) / HOUR_MS)
    block[:, 2] = km[1]
    return block


def kilometres(
    latitude: Float64, longitude: Float64, other_latitude: Float64, other_longitude: Float64
) -> Float64:
    """Great-circle distance by the haversine formula (Sinnott, Sky and Telescope 68, 1984).

    Args:
        latitude, longitude, other_latitude, other_longitude: millionths of a degree, C-contiguous,
            of shapes that broadcast.

    Returns:
        float64, >= 0, at most half of the circumference; NaN where one of the four is.
    """
    degrees = 1e-6
    south_north = np.sin(np.deg2rad((other_latitude - latitude) * degrees) * 0.5)
    west_east = np.sin(np.deg2rad((other_longitude - longitude) * degrees) * 0.5)
    parallels = np.cos(np.deg2rad(latitude * degrees)) * np.cos(
        np.deg2rad(other_latitude * degrees)
    )
    chord = south_north * south_north + parallels * (west_east * west_east)
    angle: Float64 = 2.0 * np.arcsin(np.sqrt(np.minimum(chord, 1.0)))
    return angle * EARTH_RADIUS_KM


def _millionths(degrees: list[float | None]) -> Float64:
    # None becomes NaN. Rounded as state rounds it: the same place is at distance zero.
    return np.rint(np.array(degrees, dtype=np.float64) * 1e6)
