"""The record that families over history look at: a payment beside what the state of one of its
entities said.

The same for every entity, so that a function over cases is compiled once.
"""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from features.entities import CUSTOMER, ROLES
from features.tiles import Flow, Position
from features.windows import (
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

Cases = NDArray[np.void]
"""CASE[m]: of those rows of a batch in which the state of one entity is there."""

WINDOWS = (H1, H24, D7, D30, D60)
"""The windows of amounts and of distinct partners. Those that an entity keeps are adjacent."""

DAY, WEEK, MONTH, LONG = (WINDOWS.index(window) for window in (H24, D7, D30, D60))
"""Places in `WINDOWS`."""

NAMED = CUSTOMER.tables
"""The tables of whom a payment may name."""

_TABLES = max(len(role.entity.tables) for role in ROLES)

SAID: dict[str, dict[str, int]] = {
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
"""Group that an entity keeps -> what `WindowAggregates` say of it -> how many numbers that is."""

CASE = np.dtype(
    [
        ("row", "<i8"),
        ("hundredths", "<i8"),
        ("units", "<f8"),
        ("latitude", "<f8"),
        ("longitude", "<f8"),
        ("names", "<i8", (len(NAMED),)),
        ("mean", "<f8", (len(WINDOWS),)),
        ("deviation", "<f8", (len(WINDOWS),)),
        ("since_ms", "<i8"),
        ("distinct", "<i8", (_TABLES, len(WINDOWS))),
        ("partner_since_s", "<i8", (_TABLES,)),
        *(
            (name.replace(".", "_"), "<i8", (width,) if width > 1 else ())
            for said in SAID.values()
            for name, width in said.items()
        ),
    ]
)
"""Of the payment: its row in the batch; its amount in hundredths of a currency unit, and in units;
its coordinates in degrees, NaN if it names none; 1 for each of `NAMED` whom it names, else 0.

Of the state: mean and standard deviation (population) of amounts over `WINDOWS` in currency units,
NaN without events, and with fewer than two; then what `WindowAggregates` say, under the names of
there, `distinct` and `partner_since_s` by the place of the table in its entity. What the entity
does not keep is 0, or NaN."""
