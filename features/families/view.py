"""The entity view, which families over history compute from: a payment beside the numbers read from
the state of one of its entities.

One record type for every entity, so that a function over views is compiled once.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from features.state.entities import CUSTOMER, ROLES
from features.state.windows import (
    D7,
    D30,
    D60,
    FLOW_WINDOWS,
    H1,
    H24,
    LABEL_WINDOWS,
    LARGEST_WINDOWS,
    NEAR_WINDOWS,
)
from fraud.payment.batch import Int64

Views = NDArray[np.void]
"""VIEW[m]: a view for each row of a batch for which the state of one entity is available."""

WINDOWS = (H1, H24, D7, D30, D60)
"""The windows of amounts and of distinct partners. An entity keeps adjacent ones."""

DAY, WEEK, MONTH, LONG = (WINDOWS.index(window) for window in (H24, D7, D30, D60))
"""Places in `WINDOWS`."""

PARTNER_TABLES = CUSTOMER.tables
"""The partners that a payment may name."""

_TABLES = max(len(role.entity.tables) for role in ROLES)


@dataclass(frozen=True, slots=True)
class Position:
    """Positions of the payments of n customers.

    Attributes:
        lat_e6, lon_e6: int64[n]: the newest payment with coordinates, micro-degrees; 0 if none.
        since_ms: int64[n]: since that payment, >= 0; -1 if there is none within 60 days.
        home_n: int64[n]: payments with coordinates in the last 60 days, in tiles of 10 days.
        home_lat_e6_sum, home_lon_e6_sum: int64[n]: sums of their coordinates, micro-degrees:
            divided by `home_n` they are the mean position.
    """

    lat_e6: Int64
    lon_e6: Int64
    since_ms: Int64
    home_n: Int64
    home_lat_e6_sum: Int64
    home_lon_e6_sum: Int64


@dataclass(frozen=True, slots=True)
class Flow:
    """Money into and out of n accounts, over `FLOW_WINDOWS` (24 h, 7 d).

    Attributes:
        in_count, in_total, out_count, out_total: int64[n, 2]: payments, hundredths of a unit.
        in_since_ms, out_since_ms: int64[n]: since the newest one, >= 0; -1 if there is none
            within 60 days.
    """

    in_count: Int64
    in_total: Int64
    out_count: Int64
    out_total: Int64
    in_since_ms: Int64
    out_since_ms: Int64


FIELDS: dict[str, dict[str, int]] = {
    "amounts": dict.fromkeys(("count", "total", "squares"), len(WINDOWS)),
    "labels": {
        **dict.fromkeys(("known", "frauds", "fraud_total"), len(LABEL_WINDOWS)),
        **dict.fromkeys(("fraud_known_age_ms", "fraud_run_age_ms"), 1),
    },
    "largest": {"largest": len(LARGEST_WINDOWS)},
    "near": {"near": len(NEAR_WINDOWS)},
    "positions": dict.fromkeys((f"position.{part.name}" for part in fields(Position)), 1),
    "categories": dict.fromkeys(("category_count", "category_total"), 1),
    "inflow": {
        f"flow.{part.name}": 1 if part.name.endswith("_ms") else len(FLOW_WINDOWS)
        for part in fields(Flow)
    },
}
"""Group of an entity -> fields read from it -> how many numbers: one for each window.

count, total, squares: events; sum of amounts in hundredths of a unit; sum of squared amounts in
hundredths of a squared unit. known, frauds, fraud_total, over `LABEL_WINDOWS` (24 h, 7 d, 30 d):
labels that became known, frauds among them, the frauds' amounts in hundredths. fraud_known_age_ms:
since the start of the newest label tile with a fraud in it, of the narrowest tiles that have one,
>= 0; fraud_run_age_ms: since the start of the oldest day of the current run of frauds, back from
the newest day with a fraud over gaps of at most 10 days; -1 if there is none within 30 days.
largest, over `LARGEST_WINDOWS` (7 d, 30 d, 60 d): largest amount in hundredths, 0 if there is none.
near, over `NEAR_WINDOWS` (7 d, 30 d): payments just under the threshold. category_count,
category_total: payments of the last 60 days in this payment's category (-1: it has none), and in
all categories.
"""

VIEW = np.dtype(
    [
        ("row", "<i8"),
        ("hundredths", "<i8"),
        ("units", "<f8"),
        ("latitude", "<f8"),
        ("longitude", "<f8"),
        ("names", "<i8", (len(PARTNER_TABLES),)),
        ("mean", "<f8", (len(WINDOWS),)),
        ("deviation", "<f8", (len(WINDOWS),)),
        ("since_ms", "<i8"),
        ("distinct", "<i8", (_TABLES, len(WINDOWS))),
        ("partner_since_s", "<i8", (_TABLES,)),
        *(
            (name.replace(".", "_"), "<i8", (width,) if width > 1 else ())
            for group in FIELDS.values()
            for name, width in group.items()
        ),
    ]
)
"""Of the payment: its row in the batch; its amount in hundredths of a currency unit, and in units;
its coordinates in degrees, NaN if missing; 1 for each of `PARTNER_TABLES` that it names, else 0.

Of the state: mean and standard deviation (population) of amounts over `WINDOWS` in currency units,
NaN without events, and with fewer than two; seconds and milliseconds since an event, -1 without;
`distinct` and `partner_since_s` by the place of the table in its entity; then `FIELDS`. What the
entity does not keep is 0, or NaN."""
