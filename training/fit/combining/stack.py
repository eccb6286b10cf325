"""The fit of a logistic stack."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fraud.methods.stack import Stack, logit
from fraud.payment.batch import Float32, Float64
from training.fit.calibrate import fit_log_odds
from training.fit.combining.combination import Combination

_LEAST_WEIGHT = 0.02
"""Every member counts, so that losing any one model leaves a quorum."""
_RIDGE = 10.0
"""The pull towards equal weights that sum to 1, in units of log-loss: a few frauds prove little."""


def fit_stack(votes: Mapping[str, Float64], fraud: Float32) -> Combination:
    """Minimise log-loss over the votes' log-odds; no weight below 0.02; see `Fit`."""
    columns = np.stack([logit(v) for v in votes.values()], axis=1)
    bias, weights = fit_log_odds(
        columns, fraud, least=_LEAST_WEIGHT, ridge=_RIDGE / fraud.size, towards=1 / len(votes)
    )
    return Combination(Stack(bias), dict(zip(votes, weights.tolist(), strict=True)))
