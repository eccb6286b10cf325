"""Generated payments as columns of numbers. Ids and names are added when they are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from fraud.payment.transaction import CHANNELS, TYPES

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

TYPE = {name: i for i, name in enumerate(TYPES)}
CHANNEL = {name: i for i, name in enumerate(CHANNELS)}
KINDS = ("card_testing", "account_takeover", "merchant_compromise", "structuring")


@dataclass(slots=True)
class Rows:
    """n payments; -1 is none. Every column has n values.

    Attributes:
        at_ms: milliseconds since 1970.
        usd: amount in dollars, > 0.
        customer, merchant, counterparty, device: numbers of each.
        currency, country: places (`places.CODES`): of the currency, and of the payment.
        type, channel: codes.
        latitude, longitude: degrees, NaN if unknown.
        ip: IPv4 address as a number.
        kind: kind of fraud (`KINDS`), -1 for genuine.
    """

    at_ms: Int64
    usd: Float64
    customer: Int64
    merchant: Int64
    counterparty: Int64
    device: Int64
    currency: Int64
    country: Int64
    type: Int64
    channel: Int64
    latitude: Float64
    longitude: Float64
    ip: Int64
    kind: Int64

    def __len__(self) -> int:
        return len(self.at_ms)

    @classmethod
    def blank(cls, n: int) -> Rows:
        """Return n empty rows."""
        columns = {f.name: np.full(n, -1, dtype=np.int64) for f in fields(cls)}
        reals = {name: np.full(n, np.nan) for name in ("usd", "latitude", "longitude")}
        return cls(**{**columns, **reals})

    def take(self, where: NDArray[np.int64] | NDArray[np.bool_]) -> Rows:
        """Return the rows at indices, or where a mask is true."""
        return Rows(*(getattr(self, f.name)[where] for f in fields(self)))

    @classmethod
    def concat(cls, parts: Sequence[Rows]) -> Rows:
        """Return all rows of `parts`, in order."""
        if not parts:
            return cls.blank(0)
        return cls(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(cls)))
