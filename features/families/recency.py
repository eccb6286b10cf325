"""How long ago an entity was last seen, and by whom."""

from __future__ import annotations

import numpy as np

from features.families.case import Cases
from features.state.compiled import Compiled
from features.state.windows import SECOND_MS
from fraud.payment.batch import Float32


@Compiled
def last(values: Float32, start: int, cases: Cases) -> None:
    """1 column: seconds since the entity's newest payment."""
    for case in cases:
        values[case.row, start] = case.since_ms / SECOND_MS if case.since_ms >= 0 else np.nan


@Compiled
def partners(values: Float32, start: int, cases: Cases) -> None:
    """2 columns for each kind of partner of a customer: whether this one is new, and seconds since
    they last met; NaN where the payment names none."""
    for case in cases:
        out = values[case.row, start:]
        for t in range(len(case.names)):
            since_s = case.partner_since_s[t]
            if case.names[t]:
                out[2 * t] = since_s < 0
                out[2 * t + 1] = since_s if since_s >= 0 else np.nan
