"""The customer's share of payments in this merchant category."""

from __future__ import annotations

import numpy as np

from features.families.view import Views
from features.state.compiled import Compiled
from features.state.rings import CATEGORY_SLOTS
from fraud.payment.batch import Float32, Float64


def columns(values: Float32, start: int, views: Views) -> None:
    """3 columns: payments of 60 d in this category; their share; surprise: minus the natural
    logarithm of the share with one more payment in each category. NaN without a category."""
    odds = np.empty(len(views))
    _shares(values, start, views, odds)
    values[views["row"], start + 2] = np.log(odds)


@Compiled
def _shares(values: Float32, start: int, views: Views, odds: Float64) -> None:
    # The logarithm is left to NumPy: its bits do not depend on a compiler.
    for k in range(len(views)):
        view = views[k]
        n, in_all = view.category_count, view.category_total
        odds[k] = np.nan
        if n >= 0:
            values[view.row, start] = n
            values[view.row, start + 1] = n / in_all
            odds[k] = (in_all + CATEGORY_SLOTS) / (n + 1)
