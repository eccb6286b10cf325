"""The layout of states as flat numbers: what the compiled loops of `folding.py` walk through.

They are handed over as an argument, never known by name: machine code that is kept from an earlier
run must not know the layout of then. Offsets count 32-bit words, in which the loops see a state.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from features.state.entities import ID_COLUMNS, KEPT, ROLES, Entity, Role
from features.state.rings import SOURCES, Ring
from features.state.snapshot import OFFSETS
from features.state.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
from fraud.payment.batch import Int64

BAND_START, THRESHOLD, N_ROLES, ROLE_AT, ENTITY_AT = range(5)
"""Places of the head: the band just under the threshold, in hundredths; how many roles there are;
where the first of `ROLE_NUMBERS` and of `ENTITY_NUMBERS` lies."""

ROLE_NUMBERS = 3
"""Of each role: where its program begins, the index of its entity among `KEPT`, the first word of
its state in a row's record (`snapshot.py`)."""

ENTITY_NUMBERS = 2
"""Of each entity: words of its state; where its program of labels begins."""

HOWS = ("add", "max", "tally")
CODES = ("I", "q", "H")
_HEAD = 5


def _build() -> Int64:
    role_at = _HEAD
    entity_at = role_at + ROLE_NUMBERS * len(ROLES)
    end = entity_at + ENTITY_NUMBERS * len(KEPT)
    programs: list[int] = []
    heads: list[int] = []
    for role in ROLES:
        offset = OFFSETS[role.name] // 4
        heads += [end + len(programs), KEPT.index(role.entity), offset]
        programs += _of_role(role)
    for entity in KEPT:
        heads += [entity.size // 4, end + len(programs)]
        programs += _of_labels(entity)
    head = [BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS, len(ROLES), role_at, entity_at]
    return np.array([*head, *heads, *programs], dtype=np.int64)


def _of_role(role: Role) -> Iterator[int]:
    """Stamps: their number, the word of each. The word of the position, -1 for none. Rings: their
    number, then of each `_of_ring`. Tables: their number, of each first word, capacity, and which
    of the row's ids is the partner."""
    yield len(role.stamp_offsets)
    yield from (offset // 4 for offset in role.stamp_offsets)
    yield role.entity.position_offset // 4 if role.entity.located else -1
    yield len(role.rings)
    for ring in role.rings:
        yield from _of_ring(ring)
    yield len(role.tables)
    for table in role.tables:
        yield from (table.offset // 4, table.capacity, ID_COLUMNS.index(table.column))


def _of_ring(ring: Ring) -> Iterator[int]:
    """First word, tile in ms, slots, words of a tile, the source that must not be 0, number of
    fields; of each field how it grows, its source, its code, its word in the tile, its limit."""
    kind = ring.kind
    yield from (ring.offset // 4, ring.tile_ms, ring.slots, kind.struct.size // 4)
    yield SOURCES.index(kind.when)
    yield len(kind.fields)
    for field in kind.fields:
        yield from (HOWS.index(field.how), field.index, CODES.index(field.code))
        yield from (kind.word_of(field) + 1, field.limit)


def _of_labels(entity: Entity) -> Iterator[int]:
    """Rings of labels: their number, of each first word, tile in ms, slots."""
    group = entity.groups.get("labels")
    rings = () if group is None else group.rings
    yield len(rings)
    for ring in rings:
        yield from (ring.offset // 4, ring.tile_ms, ring.slots)


PROGRAM = _build()
"""int64[...]: the head, the numbers of roles and entities, their programs."""
