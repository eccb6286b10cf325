"""Money through an account: what came in, what goes out, and how soon.

The account of a payment's customer is the payer, that of its counterparty the payee. Only payments
that name a counterparty move money between accounts.
"""

from __future__ import annotations

import numpy as np

from features.families.view import WEEK, Views
from features.state.compiled import Compiled
from features.state.entities import ACCOUNT
from features.state.windows import SECOND_MS
from fraud.payment.batch import Float32

_PAYERS, _PAYEES = (
    [table.partner for table in ACCOUNT.tables].index(partner) for partner in ("payers", "payees")
)
_H24, _D7 = 0, 1


@Compiled
def payer(values: Float32, start: int, views: Views) -> None:
    """8 columns: sums received in 24 h, 7 d; payments received in 7 d; distinct payers of 7 d;
    seconds since it received; (sum sent + this amount) / sum received in 24 h, 7 d; seconds since
    this payee last paid it."""
    for view in views:
        out = values[view.row, start:]
        since, met = view.flow_in_since_ms, view.partner_since_s[_PAYERS]
        out[0] = view.flow_in_total[_H24] / 100.0
        out[1] = view.flow_in_total[_D7] / 100.0
        out[2] = view.flow_in_count[_D7]
        out[3] = view.distinct[_PAYERS, WEEK]
        out[4] = since / SECOND_MS if since >= 0 else np.nan
        out[5] = (view.flow_out_total[_H24] + view.hundredths) / view.flow_in_total[_H24]
        out[6] = (view.flow_out_total[_D7] + view.hundredths) / view.flow_in_total[_D7]
        out[7] = met if met >= 0 else np.nan


@Compiled
def payee(values: Float32, start: int, views: Views) -> None:
    """3 columns: sum sent in 24 h; distinct payees of 7 d; sum sent / sum received in 24 h."""
    for view in views:
        out = values[view.row, start:]
        sent = view.flow_out_total[_H24]
        out[0] = sent / 100.0
        out[1] = view.distinct[_PAYEES, WEEK]
        out[2] = sent / view.flow_in_total[_H24]
