"""How usual this merchant category is for the customer."""

from __future__ import annotations

import numpy as np

from features.families.case import Cases
from features.state.compiled import Compiled
from features.state.rings import CATEGORY_SLOTS
from fraud.payment.batch import Float32, Float64


def columns(values: Float32, start: int, cases: Cases) -> None:
    """3 columns: payments of 60 d in this category; their share; surprise: minus the natural
    logarithm of the share with one payment more in each category. NaN where the payment names no
    category."""
    odds = np.empty(len(cases))
    _shares(values, start, cases, odds)
    values[cases["row"], start + 2] = np.log(odds)


@Compiled
def _shares(values: Float32, start: int, cases: Cases, odds: Float64) -> None:
    # The logarithm is left to numpy, whose bits depend on no compiler.
    for k in range(len(cases)):
        case = cases[k]
        n, in_all = case.category_count, case.category_total
        odds[k] = np.nan
        if n >= 0:
            values[case.row, start] = n
            values[case.row, start + 1] = n / in_all
            odds[k] = (in_all + CATEGORY_SLOTS) / (n + 1)
