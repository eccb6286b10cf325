"""The fit of every combining method."""

from __future__ import annotations

from fraud.methods.majority import Majority
from fraud.methods.maximum import Maximum
from fraud.methods.mean import Mean
from fraud.methods.rank import RankAverage
from fraud.methods.stack import Stack
from training.fit.combining.combination import Fit
from training.fit.combining.majority import fit_majority
from training.fit.combining.maximum import fit_maximum
from training.fit.combining.mean import fit_mean
from training.fit.combining.rank import fit_rank
from training.fit.combining.stack import fit_stack

FITS: dict[str, Fit] = {
    Mean.name: fit_mean,
    Stack.name: fit_stack,
    RankAverage.name: fit_rank,
    Maximum.name: fit_maximum,
    Majority.name: fit_majority,
}
"""Combining method -> its fit. Of equally good methods the first is taken."""

CHOICES = (Mean.name, Stack.name, RankAverage.name, Maximum.name)
"""The methods that training chooses from. A majority of k equal votes knows only k + 1 scores, so
that no threshold need exist that sends half a percent of payments to review: it is fitted where it
is configured."""
