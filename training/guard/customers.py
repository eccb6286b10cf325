"""Customers whose payments are all fraud, or all genuine."""

from __future__ import annotations

import numpy as np

from data.history.history import History
from training.finding import Finding
from training.metrics.cases import codes
from training.sets.split import FRAUD, UNKNOWN

LEAST_CUSTOMERS, LEAST_FRAUDS, LEAST_PAYMENTS = 10, 30, 3
REFUSED = 0.97
WARNED = 0.9


def disjoint_customers(history: History) -> list[Finding]:
    """A finding if customers with several payments have either only frauds or only genuine ones.

    A victim of fraud has paid before. If no customer has both kinds, labels were assigned by
    customer, or frauds were generated under separate ids: features of a customer then give the
    label away.
    """
    labelled = np.flatnonzero(history.label != UNKNOWN)
    fraud = history.label[labelled] == FRAUD
    if fraud.sum() < LEAST_FRAUDS:
        return []
    ids = history.batch.customer_id
    code = codes([ids[i] for i in labelled.tolist()])
    rows = np.bincount(code)
    frauds = np.bincount(code, fraud)
    often = rows >= LEAST_PAYMENTS
    of_often = often & (frauds > 0)
    genuine = often & (frauds == 0)
    if of_often.sum() < LEAST_CUSTOMERS or genuine.sum() < LEAST_CUSTOMERS:
        return []
    counted = frauds[of_often].sum()
    if counted < max(LEAST_FRAUDS, 0.5 * fraud.sum()):
        return []
    pure = frauds[of_often & (frauds == rows)].sum() / counted
    if pure < WARNED:
        return []
    return [
        Finding(
            "refuse" if pure >= REFUSED else "warn",
            "label-by-customer",
            f"{pure:.1%} of frauds belong to customers without a genuine payment"
            f" ({int(of_often.sum()):,} customers with {LEAST_PAYMENTS} payments or more): labels"
            " were assigned by customer, or frauds have separate customer ids; honest only if each"
            " of these customers was fraudulent from the first payment on",
            column="customer_id",
        )
    ]
