"""The fit of a maximum."""

from __future__ import annotations

from collections.abc import Mapping

from fraud.methods.maximum import Maximum
from fraud.payment.batch import Float32, Float64
from training.fit.combining.combination import Combination


def fit_maximum(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """Return a maximum, which has nothing to fit: weights do not count; see `Fit`."""
    return Combination(Maximum(), dict.fromkeys(votes, 1.0))
