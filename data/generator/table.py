"""Rows of numbers as Arrow tables with the canonical columns."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from data.generator import places
from data.generator.population import CATEGORIES, Population
from data.generator.rows import KINDS, Int64, Rows
from fraud.payment.transaction import CHANNELS, TYPES

_DAY_MS = 86_400_000
# Days until a fraud is noticed, by kind: median and spread of a log-normal distribution.
_NOTICED_D = np.array([3.0, 1.5, 7.0, 14.0])
_SPREAD = 0.6
_SETTLED_D = 7
# Odd, so that multiplying by it modulo 2**48 maps different numbers to different numbers.
_SCRAMBLE = 0x9E3779B97F4B
_48_BITS = (1 << 48) - 1

_CATEGORY_NAMES = pa.array([c[0] for c in CATEGORIES])
_PLACE_CODES = pa.array(places.CODES)
_PLACE_CURRENCIES = pa.array(places.CURRENCIES)
_TYPE_NAMES, _CHANNEL_NAMES, _KIND_NAMES = pa.array(TYPES), pa.array(CHANNELS), pa.array(KINDS)


class Namer:
    """Turns numbers into ids and names. Numbers are scrambled, so that ids reveal nothing."""

    def __init__(self, world: Population, tag: str) -> None:
        self._world = world
        self._tag = tag
        self._written = 0
        self._customers = _names("c", np.arange(len(world.customers)) + 1)
        self._merchants = _names("m", np.arange(len(world.merchants)) + 1)
        self._categories = _CATEGORY_NAMES.take(pa.array(world.merchants.category))

    def table(self, rows: Rows, rng: Generator) -> pa.Table:
        """Return the next rows as a table; `rng` draws when their labels become known."""
        fraud = rows.kind >= 0
        minor = places.minor(rows.usd, rows.currency)
        numbers = np.arange(len(rows)) + self._written + 1
        self._written += len(rows)
        merchant = _index(rows.merchant)
        return pa.table(
            {
                "transaction_id": _names(f"{self._tag}-", numbers, 10),
                "customer_id": self._customers.take(pa.array(rows.customer)),
                "timestamp": _moments(rows.at_ms),
                "amount": pa.array(minor / places.UNIT[rows.currency]),
                "currency": _PLACE_CURRENCIES.take(pa.array(rows.currency)),
                "type": _TYPE_NAMES.take(pa.array(rows.type)),
                "merchant_id": self._merchants.take(merchant),
                "merchant_category": self._categories.take(merchant),
                "counterparty_id": _scrambled("p", rows.counterparty),
                "device_id": _scrambled("d", rows.device),
                "ip_address": _addresses(rows.ip),
                "country": _PLACE_CODES.take(_index(rows.country)),
                "channel": _CHANNEL_NAMES.take(_index(rows.channel)),
                "latitude": _degrees(rows.latitude),
                "longitude": _degrees(rows.longitude),
                "is_fraud": pa.array(fraud),
                "fraud_kind": _KIND_NAMES.take(_index(rows.kind)),
                "label_known_at": _moments(_known_ms(rows, rng)),
            }
        )


def _known_ms(rows: Rows, rng: Generator) -> Int64:
    """When each label becomes known: fraud when it is noticed, the rest after a week."""
    days = np.full(len(rows), float(_SETTLED_D))
    fraud = np.flatnonzero(rows.kind >= 0)
    median = _NOTICED_D[rows.kind[fraud]]
    days[fraud] = np.clip(median * rng.lognormal(0.0, _SPREAD, len(fraud)), 0.02, 90.0)
    known: Int64 = rows.at_ms + np.rint(days * _DAY_MS).astype(np.int64)
    return known


def _names(prefix: str, numbers: Int64, width: int = 7) -> pa.Array:
    digits = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(pa.scalar(prefix), digits, pa.scalar(""))


def _scrambled(prefix: str, numbers: Int64) -> pa.Array:
    present = numbers >= 0
    mixed = (numbers[present].astype(np.uint64) * np.uint64(_SCRAMBLE)) & np.uint64(_48_BITS)
    return _spread(_names(prefix, mixed.astype(np.int64), 15), present)


def _addresses(numbers: Int64) -> pa.Array:
    present = numbers >= 0
    octets = [
        pa.array(numbers[present] >> shift & 255).cast(pa.string()) for shift in (24, 16, 8, 0)
    ]
    return _spread(pc.binary_join_element_wise(*octets, pa.scalar(".")), present)


def _spread(values: pa.Array, present: np.ndarray) -> pa.Array:
    """Put values where `present` (bool[n]) is true, null elsewhere."""
    return values.take(pa.array(np.cumsum(present) - 1, mask=~present))


def _index(numbers: Int64) -> pa.Array:
    return pa.array(numbers, mask=numbers < 0)


def _degrees(values: np.ndarray) -> pa.Array:
    return pa.array(np.round(values, 4), mask=np.isnan(values))


def _moments(at_ms: Int64) -> pa.Array:
    return pa.array(at_ms).cast(pa.timestamp("ms", tz="UTC"))
