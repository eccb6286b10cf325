"""The countries of the generated payments."""

from __future__ import annotations

import numpy as np

from fraud.payment.currency import EXPONENT

# code, currency, units of it for a dollar (round figures), latitude,
# longitude, hours ahead of UTC, share of the customers
_PLACES = (
    ("US", "USD", 1.0, 39.8, -89.6, -6, 26),
    ("GB", "GBP", 0.8, 52.5, -1.5, 0, 11),
    ("DE", "EUR", 0.9, 50.9, 10.2, 1, 10),
    ("FR", "EUR", 0.9, 47.0, 2.5, 1, 8),
    ("ES", "EUR", 0.9, 40.3, -3.7, 1, 5),
    ("IT", "EUR", 0.9, 43.5, 12.2, 1, 5),
    ("NL", "EUR", 0.9, 52.1, 5.3, 1, 4),
    ("PL", "PLN", 4.0, 52.0, 19.4, 1, 4),
    ("SE", "SEK", 10.0, 59.0, 15.8, 1, 2),
    ("CH", "CHF", 0.9, 46.9, 8.0, 1, 2),
    ("CA", "CAD", 1.35, 45.6, -77.3, -5, 4),
    ("BR", "BRL", 5.0, -20.8, -47.2, -3, 4),
    ("MX", "MXN", 18.0, 20.8, -101.0, -6, 3),
    ("IN", "INR", 83.0, 20.6, 77.5, 5, 4),
    ("JP", "JPY", 150.0, 35.7, 138.0, 9, 3),
    ("SG", "SGD", 1.35, 1.35, 103.8, 8, 1),
    ("AU", "AUD", 1.5, -34.6, 149.0, 10, 2),
    ("AE", "AED", 3.7, 24.8, 55.2, 4, 1),
    ("NG", "NGN", 1500.0, 7.4, 4.4, 1, 1),
    ("TR", "TRY", 32.0, 39.6, 31.2, 3, 1),
)

CODES = [p[0] for p in _PLACES]
CURRENCIES = [p[1] for p in _PLACES]
PER_USD = np.array([p[2] for p in _PLACES])
LATITUDE = np.array([p[3] for p in _PLACES])
LONGITUDE = np.array([p[4] for p in _PLACES])
AHEAD_H = np.array([p[5] for p in _PLACES], dtype=np.int64)
SHARE = np.array([p[6] for p in _PLACES]) / sum(p[6] for p in _PLACES)
UNIT = np.array([10 ** EXPONENT[c] for c in CURRENCIES], dtype=np.float64)
"""Minor units in one unit of each place's currency."""


def minor(usd: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return int64[n] >= 1: dollars (float64[n]) in minor units of each place's currency."""
    amount = np.rint(usd * PER_USD[place] * UNIT[place])
    found: np.ndarray = np.maximum(amount, 1).astype(np.int64)
    return found
