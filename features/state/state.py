"""Put an event or a label into the state of one entity.

The scalar reference of `folding.py`, which does this for many; tests hold both to the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from features.state.entities import Entity, Role
from features.state.rings import PARTNER_BYTES, SATURATION, SOURCES, Ring, Table
from features.state.windows import SECOND_MS

Buffer = bytearray | memoryview

_PARTNER = struct.Struct("<II")
_MS = struct.Struct("<q")
_POSITION = struct.Struct("<qII")
_LABEL = struct.Struct("<IIIq")
_LOCATED, _LAT, _LON = (SOURCES.index(name) for name in ("located", "lat", "lon"))
_MOST = 2**32 - 1


@lru_cache(maxsize=1 << 16)
def partner_hash(identity: str | None) -> int:
    """The 32-bit hash of a partner in a table; 0 means none.

    In one of two million customers two of 64 partners share a hash, and count as one.
    """
    return 0 if identity is None else zlib.crc32(identity.encode()) or 1


def squares_of(hundredths: int) -> int:
    """The square of an amount in hundredths of a squared currency unit, rounded, saturating.

    Float64 arithmetic on purpose: compiled code and PostgreSQL compute the same bits.

    >>> squares_of(1234)  # 12.34 squared is 152.2756
    15228
    """
    value = float(hundredths)
    return int(min(np.floor(value * value / 100.0 + 0.5), SATURATION))


def empty(entity: Entity) -> bytes:
    """The state of an entity without history."""
    return bytes(entity.size)


def observe(role: Role, state: Buffer, row: Sequence[int], partners: Sequence[int]) -> None:
    """Add one event to `state`, in place. Any order of the same events gives the same state.

    Args:
        role: the role in which the row touches the entity.
        state: `role.entity.size` bytes.
        row: a value for each of `rings.SOURCES`; it may come late.
        partners: `partner_hash` for each of `role.tables`, 0 for none.
    """
    at_ms = row[0]
    for offset in role.stamp_offsets:
        if at_ms > _MS.unpack_from(state, offset)[0]:
            _MS.pack_into(state, offset, at_ms)
    if role.entity.located and row[_LOCATED]:
        place = (at_ms, row[_LAT], row[_LON])
        if place > _POSITION.unpack_from(state, role.entity.position_offset):
            _POSITION.pack_into(state, role.entity.position_offset, *place)
    for ring in role.rings:
        if row[ring.kind.when_index]:
            _add(state, ring, at_ms // ring.tile_ms, row)
    for table, partner in zip(role.tables, partners, strict=True):
        if partner:
            _touch(state, table, partner, at_ms // SECOND_MS)


def _add(state: Buffer, ring: Ring, tile: int, row: Sequence[int]) -> None:
    kind = ring.kind
    offset = ring.offset + tile % ring.slots * kind.struct.size
    epoch, *values = kind.struct.unpack_from(state, offset)
    if epoch > tile:
        return  # the slot holds a newer tile: this event is older than the ring reaches
    if epoch < tile:
        values = [0] * len(values)
    for i, (how, source, limit) in enumerate(kind.steps):
        if how == "add":
            values[i] = min(values[i] + row[source], limit)
        elif how == "max":
            values[i] = max(values[i], min(row[source], limit))
        else:
            counter = row[source] - 1
            values[counter] = min(values[counter] + 1, limit)
    kind.struct.pack_into(state, offset, tile, *values)


def _touch(state: Buffer, table: Table, partner: int, at_s: int) -> None:
    start, size = table.offset, table.capacity * PARTNER_BYTES
    entries = bytes(state[start : start + size])
    stop = size
    found = _find(entries, partner.to_bytes(4, "little"))
    if found >= 0:
        if _PARTNER.unpack_from(entries, found)[1] >= at_s:
            return
        stop = found + PARTNER_BYTES
    at = 0
    while at < stop:
        other, seen_s = _PARTNER.unpack_from(entries, at)
        if (at_s, partner) > (seen_s, other):
            break
        at += PARTNER_BYTES
    else:
        return  # older than every partner of a full table
    # Shift older entries by one place; the last one, or the partner's old entry, drops out.
    state[start + at + PARTNER_BYTES : start + stop] = entries[at : stop - PARTNER_BYTES]
    _PARTNER.pack_into(state, start + at, partner, at_s)


def _find(entries: bytes, needle: bytes) -> int:
    found = entries.find(needle)
    while found >= 0 and found % PARTNER_BYTES:
        found = entries.find(needle, found + 1)
    return found


def learn(
    entity: Entity,
    state: Buffer,
    known_at_ms: int,
    fraud: bool,
    hundredths: int,
    previous: tuple[int, bool] | None,
) -> None:
    """Put one label event (`labels.LabelEvents`) into `state`, in place.

    A correction removes the label that it replaces from its tile, unless that tile is gone, and
    counts in a tile of its own. Labels of different payments may come in any order. The sum of
    frauds' amounts saturates at `SATURATION`; correcting a saturated sum is approximate.
    """
    for ring in entity.groups["labels"].rings:
        if previous is not None:
            tile = previous[0] // ring.tile_ms
            offset = ring.offset + tile % ring.slots * _LABEL.size
            epoch, known, frauds, total = _LABEL.unpack_from(state, offset)
            if epoch == tile:
                lost = hundredths if previous[1] else 0
                known, frauds = max(known - 1, 0), max(frauds - previous[1], 0)
                _LABEL.pack_into(state, offset, epoch, known, frauds, max(total - lost, 0))
        tile = known_at_ms // ring.tile_ms
        offset = ring.offset + tile % ring.slots * _LABEL.size
        epoch, known, frauds, total = _LABEL.unpack_from(state, offset)
        if epoch > tile:
            continue
        if epoch < tile:
            known = frauds = total = 0
        total = min(total + (hundredths if fraud else 0), SATURATION)
        known, frauds = min(known + 1, _MOST), min(frauds + fraud, _MOST)
        _LABEL.pack_into(state, offset, tile, known, frauds, total)
