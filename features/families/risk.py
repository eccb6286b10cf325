"""How much fraud an entity has shown, from labels that were already known at the moment.

A label counts from when it became known: with a delay of d the windows are those of the payments,
shifted by d.
"""

from __future__ import annotations

import numpy as np

from features.families.history import History, elapsed
from features.families.rows import Rows
from features.windows import D30
from fraud.batch import Float64

PRIOR_RATE = 0.005
PRIOR_LABELS = 5
"""An entity without labels is taken for one with so many labels and that share of fraud."""


def columns(rows: Rows, history: History) -> Float64:
    """float64[n, 10]: risk over 24 h, 7 d, 30 d; frauds of 7 d, 30 d; labels of 30 d; smoothed risk
    of 30 d; seconds since a fraud became known; seconds of the run; frauds' mean amount of 30 d /
    mean amount of 30 d."""
    seen = history.seen
    frauds = seen.frauds[:, 2]
    block = np.empty((len(rows), 10))
    np.divide(seen.frauds, seen.known, out=block[:, 0:3])
    block[:, 3:5] = seen.frauds[:, 1:3]
    block[:, 5] = seen.known[:, 2]
    block[:, 6] = (frauds + PRIOR_LABELS * PRIOR_RATE) / (seen.known[:, 2] + PRIOR_LABELS)
    block[:, 7] = seen.fraud_known_age_ms
    block[:, 8] = seen.fraud_run_age_ms
    block[:, 7:9] = elapsed(block[:, 7:9])
    usual = history.mean[:, history.at(D30)] * 100.0
    block[:, 9] = seen.fraud_total[:, 2] / frauds / usual
    return block
