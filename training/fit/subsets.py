"""Calibrations for payments on which only some of an ensemble's members voted.

Without a member the others are re-weighted. Their combined score then means another probability:
each proper subset of the members has a calibration of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from fraud.combine.combine import combined
from fraud.ensemble import MOST_SUBSETS, SubsetCalibration
from fraud.errors import NotTrainable
from fraud.payment.batch import Float32, Float64
from training.fit.calibrate import CalibrationFit, fit_calibration
from training.fit.combining.combination import Combination

MAX_KNOTS = 32
"""Of one subset: there are up to 2 ** members - 2 of them in the plan's document, each used in
outages only."""


@dataclass(frozen=True, slots=True)
class SubsetFit:
    """The calibration of one subset of an ensemble's members.

    Attributes:
        variants: the members that voted, sorted.
        calibration: None if none could be fitted: the plan's own is used then.
        reason: why there is none; "" if there is one.
    """

    variants: tuple[str, ...]
    calibration: CalibrationFit | None
    reason: str = ""

    @property
    def name(self) -> str:
        """Names the subset in figures, such as `logistic.xgboost`."""
        return ".".join(self.variants)

    def renamed(self, name: Callable[[str], str]) -> SubsetFit:
        """Return the fit with other names of its variants."""
        return replace(self, variants=tuple(sorted(map(name, self.variants))))


def fit_subsets(
    combination: Combination, votes: Mapping[str, Float64], fraud: Float32
) -> tuple[SubsetFit, ...]:
    """Fit a calibration for every proper, non-empty subset of a combination's voters.

    Args:
        votes: variant -> float64[n] calibrated scores of the calibration part.
        fraud: float32[n], 1 for fraud, else 0; both occur.

    Returns:
        The largest subsets first; at most `MOST_SUBSETS`.
    """
    fits = []
    for names in _subsets(list(combination.weights)):
        score = combined(
            combination.method, combination.members, {n: votes[n] for n in names}, fraud.size
        )
        try:
            fits.append(SubsetFit(names, fit_calibration(score, fraud, MAX_KNOTS)))
        except NotTrainable as error:
            fits.append(SubsetFit(names, None, str(error)))
    return tuple(fits)


def stored(fits: Sequence[SubsetFit]) -> tuple[SubsetCalibration, ...]:
    """The calibrations that could be fitted, as an ensemble holds them."""
    return tuple(
        SubsetCalibration(fit.variants, fit.calibration.knots)
        for fit in fits
        if fit.calibration is not None
    )


def _subsets(voters: Sequence[str]) -> Iterator[tuple[str, ...]]:
    left = MOST_SUBSETS
    for size in range(len(voters) - 1, 0, -1):
        for names in combinations(sorted(voters), size):
            if left == 0:
                return
            left -= 1
            yield names
