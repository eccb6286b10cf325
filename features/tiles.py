"""What is read out of states: the numbers that families compute features from."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fraud.batch import Int64


def _absent() -> Int64:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the payments of n customers were made.

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


@dataclass(frozen=True, slots=True)
class WindowAggregates:
    """What the state of n entities said at n moments.

    What an entity keeps no state of is an empty array, or None.

    Attributes:
        present: bool[n]: the transaction names this entity and its state could be read.
        count, total, squares: int64[n, n_windows]: events; sum of amounts in hundredths of a
            unit; sum of squared amounts in hundredths of a squared unit.
        distinct: partner -> int64[n, n_windows].
        since_ms: int64[n]: since the newest event, >= 0; -1 if there is none within 60 days.
        partner_since_s: partner -> int64[n]: since the entity last met the partner that this
            transaction names, >= 0; -1 if not within 60 days.
        known, frauds, fraud_total: int64[n, 3] over `LABEL_WINDOWS` (24 h, 7 d, 30 d): labels
            that became known, frauds among them, the frauds' amounts in hundredths of a unit.
        fraud_known_age_ms: int64[n]: since the start of the newest label tile with a fraud in it,
            of the narrowest tiles that have one, >= 0; -1 if there is none within 30 days.
        fraud_run_age_ms: int64[n]: since the start of the oldest day of the current run of
            frauds: back from the newest day with a fraud over gaps of at most 10 days; -1 if
            there is none within 30 days.
        largest: int64[n, 3] over `LARGEST_WINDOWS` (7 d, 30 d, 60 d): largest amount in
            hundredths of a unit, 0 if there is none.
        near: int64[n, 2] over `NEAR_WINDOWS` (7 d, 30 d): payments just under the threshold.
        category_count, category_total: int64[n]: payments of the last 60 days in the category
            that this transaction names (-1: it names none), and in all categories.
        position: where its payments were made.
        flow: what the account received and paid.
    """

    present: NDArray[np.bool_]
    count: Int64
    total: Int64
    squares: Int64
    distinct: dict[str, Int64]
    since_ms: Int64
    partner_since_s: dict[str, Int64]
    known: Int64 = field(default_factory=_absent)
    frauds: Int64 = field(default_factory=_absent)
    fraud_total: Int64 = field(default_factory=_absent)
    fraud_known_age_ms: Int64 = field(default_factory=_absent)
    fraud_run_age_ms: Int64 = field(default_factory=_absent)
    largest: Int64 = field(default_factory=_absent)
    near: Int64 = field(default_factory=_absent)
    category_count: Int64 = field(default_factory=_absent)
    category_total: Int64 = field(default_factory=_absent)
    position: Position | None = None
    flow: Flow | None = None
