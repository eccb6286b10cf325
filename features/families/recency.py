"""The time since an entity was last seen, and since it met a partner."""

from __future__ import annotations

import numpy as np

from features.families.view import Views
from features.state.compiled import Compiled
from features.state.windows import SECOND_MS
from fraud.payment.batch import Float32


@Compiled
def last(values: Float32, start: int, views: Views) -> None:
    """1 column: seconds since the entity's newest payment."""
    for view in views:
        values[view.row, start] = view.since_ms / SECOND_MS if view.since_ms >= 0 else np.nan


@Compiled
def partners(values: Float32, start: int, views: Views) -> None:
    """2 columns for each kind of partner of a customer: whether this one is new, and seconds since
    they last met; NaN if the payment names none."""
    for view in views:
        out = values[view.row, start:]
        for t in range(len(view.names)):
            since_s = view.partner_since_s[t]
            if view.names[t]:
                out[2 * t] = since_s < 0
                out[2 * t + 1] = since_s if since_s >= 0 else np.nan
