"""How usual this merchant category is for the customer."""

from __future__ import annotations

import numpy as np

from features.families.history import History
from features.families.rows import Rows
from features.rings import CATEGORY_SLOTS
from fraud.batch import Float64


def columns(rows: Rows, customer: History) -> Float64:
    """float64[n, 3]: payments of 60 d in this category; their share; surprise: minus the natural
    logarithm of the share with one payment more in each category. NaN where the payment names no
    category."""
    seen = customer.seen
    named = np.where(seen.category_count >= 0, seen.category_count, np.nan)
    block = np.empty((len(rows), 3))
    block[:, 0] = named
    block[:, 1] = named / seen.category_total
    block[:, 2] = np.log((seen.category_total + CATEGORY_SLOTS) / (named + 1))
    return block
