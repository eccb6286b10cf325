"""Risk levels of rows."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bulk.jobs.options import JobOptions
from fraud.payment.batch import Float32

Int8 = NDArray[np.int8]

NAMES: Final = ("low", "medium", "high")
UNKNOWN: Final = -1
"""The level of a row that no model scored."""


def levels(probability: Float32, options: JobOptions) -> Int8:
    """int8[n]: indices of `NAMES`, or `UNKNOWN`.

    With `options.review`, exactly that many rows are high if so many have a probability: the
    largest, and of equal ones those that come first in the file. Of the others, those from
    `options.medium` on are medium.

    Args:
        probability: float32[n], as the result shows it; NaN where no model gave a score. Thresholds
            are rounded in the same way: 0.7 reaches 0.7.
    """
    known = ~np.isnan(probability)
    found = np.full(len(probability), UNKNOWN, np.int8)
    found[known] = 0
    found[known & (probability >= np.float32(options.medium))] = 1
    if options.review is None:
        found[known & (probability >= np.float32(options.high))] = 2
    else:
        found[riskiest(probability, options.review)] = 2
    return found


def riskiest(score: Float32, n: int) -> NDArray[np.int64]:
    """The places of the n largest numbers of float32[m], rising; of equal ones the first. NaN is
    never among them."""
    places = np.flatnonzero(~np.isnan(score))
    if n >= places.size:
        return places
    known = score[places]
    least = np.partition(known, known.size - n)[known.size - n]
    above, equal = np.flatnonzero(known > least), np.flatnonzero(known == least)
    return np.sort(places[np.concatenate([above, equal[: n - above.size]])])
