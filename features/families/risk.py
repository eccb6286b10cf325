"""The known fraud of an entity, from labels that were already known at the time of the payment.

A label counts from when it became known: with a delay of d, the windows are those of the payments
shifted by d.
"""

from __future__ import annotations

import numpy as np

from features.families.view import MONTH, Views
from features.state.compiled import Compiled
from features.state.windows import SECOND_MS
from fraud.payment.batch import Float32

PRIOR_RATE = 0.005
PRIOR_LABELS = 5
"""An entity without labels counts as one with `PRIOR_LABELS` labels and that rate of fraud."""


@Compiled
def columns(values: Float32, start: int, views: Views) -> None:
    """10 columns: risk over 24 h, 7 d, 30 d; frauds of 7 d, 30 d; labels of 30 d; smoothed risk of
    30 d; seconds since a fraud became known; seconds of the run; frauds' mean amount of 30 d / mean
    amount of 30 d."""
    for view in views:
        out = values[view.row, start:]
        for w in range(3):
            out[w] = view.frauds[w] / view.known[w]
        frauds, known = view.frauds[2], view.known[2]
        out[3] = view.frauds[1]
        out[4] = frauds
        out[5] = known
        out[6] = (frauds + PRIOR_LABELS * PRIOR_RATE) / (known + PRIOR_LABELS)
        since, run = view.fraud_known_age_ms, view.fraud_run_age_ms
        out[7] = since / SECOND_MS if since >= 0 else np.nan
        out[8] = run / SECOND_MS if run >= 0 else np.nan
        out[9] = view.fraud_total[2] / frauds / (view.mean[MONTH] * 100.0)
