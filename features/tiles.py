"""Window state of one entity: put an event in, read every window out.

`observe` is the reference of what `store/observe.lua` does inside Redis; the contract suite of the
stores holds them to the same bytes. Reading is numpy alone, for n states at once.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from features.entities import PARTNER_BYTES, SATURATION, TILE_BYTES, Entity, Ring, Table
from features.windows import HORIZON_MS, SECOND_MS
from fraud.batch import Int64

_TILE = struct.Struct("<IIqq")
_PARTNER = struct.Struct("<II")
_LAST = struct.Struct("<q")


def partner_hash(identity: str | None) -> int:
    """32-bit hash that stands for a partner in a table; 0 means none.

    Two of 64 partners share a hash once in two million customers: they then count as one.
    """
    return 0 if identity is None else zlib.crc32(identity.encode()) or 1


def squares_of(hundredths: int) -> int:
    """The square of an amount in hundredths of a squared currency unit, rounded, saturating.

    In float64 arithmetic on purpose: Lua and PostgreSQL compute the very same bits.

    >>> squares_of(1234)  # 12.34 squared is 152.2756
    15228
    """
    value = float(hundredths)
    return int(min(np.floor(value * value / 100.0 + 0.5), SATURATION))


def empty(entity: Entity) -> bytes:
    """State of an entity without history."""
    return bytes(entity.size)


def observe(
    entity: Entity, state: bytearray, at_ms: int, hundredths: int, partners: Sequence[int]
) -> None:
    """Add one event to `state`, in place. Any order of the same events gives the same state.

    Args:
        entity: whose state it is.
        state: `entity.size` bytes.
        at_ms: when the event happened, ms since the epoch, > 0; late events are welcome.
        hundredths: amount in hundredths of a currency unit, > 0.
        partners: `partner_hash` for each of `entity.tables`, 0 for none.
    """
    if at_ms > _LAST.unpack_from(state)[0]:
        _LAST.pack_into(state, 0, at_ms)
    squares = squares_of(hundredths)
    for ring in entity.rings:
        _add(state, ring, at_ms // ring.tile_ms, hundredths, squares)
    for table, partner in zip(entity.tables, partners, strict=True):
        if partner:
            _touch(state, table, partner, at_ms // SECOND_MS)


def _add(state: bytearray, ring: Ring, tile: int, hundredths: int, squares: int) -> None:
    offset = ring.offset + tile % ring.slots * TILE_BYTES
    epoch, count, total, total_squares = _TILE.unpack_from(state, offset)
    if epoch > tile:
        return  # the slot has moved on: this event is older than the ring reaches
    if epoch < tile:
        count = total = total_squares = 0
    _TILE.pack_into(
        state,
        offset,
        tile,
        count + 1,
        min(total + hundredths, SATURATION),
        min(total_squares + squares, SATURATION),
    )


def _touch(state: bytearray, table: Table, partner: int, at_s: int) -> None:
    start, stop = table.offset, table.offset + table.capacity * PARTNER_BYTES
    found = _find(state, partner.to_bytes(4, "little"), start, stop)
    if found >= 0:
        if _PARTNER.unpack_from(state, found)[1] >= at_s:
            return
        stop = found + PARTNER_BYTES
    at = start
    while at < stop:
        other, seen_s = _PARTNER.unpack_from(state, at)
        if (at_s, partner) > (seen_s, other):
            break
        at += PARTNER_BYTES
    else:
        return  # older than every partner of a full table
    # Shift what is older by one place; the last one, or the partner's old place, falls out.
    state[at + PARTNER_BYTES : stop] = state[at : stop - PARTNER_BYTES]
    _PARTNER.pack_into(state, at, partner, at_s)


def _find(state: bytearray, needle: bytes, start: int, stop: int) -> int:
    found = state.find(needle, start, stop)
    while found >= 0 and (found - start) % PARTNER_BYTES:
        found = state.find(needle, found + 1, stop)
    return found


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


def read(
    entity: Entity,
    states: Sequence[bytes | None],
    at_ms: Int64,
    partners: dict[str, NDArray[np.uint32]],
) -> WindowAggregates:
    """Every window of n states, each at its own moment.

    Args:
        entity: whose states they are.
        states: n states; None where the transaction names no such entity.
        at_ms: int64[n], ms since the epoch.
        partners: partner -> uint32[n]: hash of the partner that each transaction names.
    """
    present = np.array([state is not None for state in states], dtype=np.bool_)
    blank = empty(entity)
    joined = b"".join(blank if state is None else state for state in states)
    records = np.frombuffer(joined, dtype=entity.dtype)
    last_ms = np.ascontiguousarray(records["last_ms"])
    count, total, squares = _windows(entity, records["tiles"], at_ms, last_ms)
    distinct, partner_since = _partners(entity, records["partners"], at_ms, last_ms, partners)
    since = np.maximum(at_ms - last_ms, 0)
    known = (last_ms > 0) & (since < HORIZON_MS)
    return WindowAggregates(
        present, count, total, squares, distinct, np.where(known, since, -1), partner_since
    )


def _windows(
    entity: Entity, tiles: NDArray[np.void], at_ms: Int64, last_ms: Int64
) -> tuple[Int64, Int64, Int64]:
    epoch = tiles["epoch"].astype(np.int64)
    now = at_ms[:, None] // entity.tile_ms
    # What a full ring has let go of stays invisible wherever a stale slot still holds it: a state
    # rebuilt from the newest 60 days must read the same.
    floor = np.maximum(now, last_ms[:, None] // entity.tile_ms) - entity.tile_slots
    visible = (epoch <= now) & (epoch > floor)
    masked = [np.where(visible, tiles[name], 0) for name in ("count", "sum", "squares")]
    firsts = [ring.first for ring in entity.rings]
    whole = [np.add.reduceat(part, firsts, axis=1, dtype=np.int64) for part in masked]
    out = [np.empty((len(at_ms), len(entity.windows)), dtype=np.int64) for _ in masked]
    for w, window in enumerate(entity.windows):
        r = entity.rings.index(ring := entity.ring_of(window))
        if window.tiles == ring.slots:
            for target, sums in zip(out, whole, strict=True):
                target[:, w] = sums[:, r]
        else:  # a shorter window on a longer one's ring
            part = slice(ring.first, ring.first + ring.slots)
            within = epoch[:, part] > now[:, part] - window.tiles
            for target, values in zip(out, masked, strict=True):
                target[:, w] = (values[:, part] * within).sum(axis=1, dtype=np.int64)
    return out[0], out[1], out[2]


def _partners(
    entity: Entity,
    entries: NDArray[np.void],
    at_ms: Int64,
    last_ms: Int64,
    partners: dict[str, NDArray[np.uint32]],
) -> tuple[dict[str, Int64], dict[str, Int64]]:
    if not entity.tables:
        return {}, {}
    names = [table.partner for table in entity.tables]
    firsts = [table.first for table in entity.tables]
    at_s = (at_ms // SECOND_MS)[:, None]
    horizon_s = np.maximum(at_ms, last_ms)[:, None] // SECOND_MS - HORIZON_MS // SECOND_MS
    seen_s = entries["last_s"].astype(np.int64)
    seen_s = np.where(seen_s > horizon_s, seen_s, 0)
    within = seen_s[:, None, :] > np.maximum(at_s - entity.spans_s, 0)[:, :, None]
    distinct = np.add.reduceat(within, firsts, axis=2, dtype=np.int64)
    asked = np.stack([partners[name] for name in names], axis=1)[:, entity.table_of_entry]
    met_s = np.maximum.reduceat(np.where(entries["id"] == asked, seen_s, 0), firsts, axis=1)
    since = np.where(met_s > 0, np.maximum(at_s - met_s, 0), -1)
    return (
        {name: distinct[:, :, i] for i, name in enumerate(names)},
        {name: since[:, i] for i, name in enumerate(names)},
    )
