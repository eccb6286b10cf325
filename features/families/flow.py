"""Money through an account: what came in, what went out, and how soon after.

The account of a payment's customer is its payer, that of its counterparty its payee; only payments
that name a counterparty move money between accounts.
"""

from __future__ import annotations

import numpy as np

from features.families.history import History, elapsed
from features.families.rows import Rows
from fraud.batch import Float64

_H24, _D7 = 0, 1


def payer(rows: Rows, account: History) -> Float64:
    """float64[n, 8]: sums received in 24 h, 7 d; number of 7 d; distinct payers of 7 d; seconds
    since it received; (sum sent + this amount) / sum received in 24 h, 7 d; seconds since this
    payee last paid it."""
    flow = account.flow
    block = np.empty((len(rows), 8))
    np.divide(flow.in_total, 100.0, out=block[:, 0:2])
    block[:, 2] = flow.in_count[:, _D7]
    block[:, 3] = account.seen.distinct["payers"][:, _D7]
    block[:, 4] = elapsed(flow.in_since_ms)
    sent = flow.out_total + rows.hundredths[:, None]
    np.divide(sent, flow.in_total, out=block[:, 5:7])
    block[:, 7] = elapsed(account.seen.partner_since_s["payers"], 1.0)
    return block


def payee(rows: Rows, account: History) -> Float64:
    """float64[n, 3]: sum sent in 24 h; distinct payees of 7 d; sum sent / sum received in 24 h."""
    flow = account.flow
    sent = flow.out_total[:, _H24]
    block = np.empty((len(rows), 3))
    block[:, 0] = sent / 100.0
    block[:, 1] = account.seen.distinct["payees"][:, _D7]
    block[:, 2] = sent / flow.in_total[:, _H24]
    return block
