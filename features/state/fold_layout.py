"""The layout of states, as flat numbers for the compiled loops of `folding.py`.

They are an argument of the loops, not a global: cached machine code would keep the layout of the
run that compiled it. Offsets count 32-bit words, as the loops do.
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
"""Places in the head: start and end of the band just under the threshold, in hundredths; number of
roles; where the numbers of the first role and of the first entity lie."""

ROLE_NUMBERS = 3
"""Of each role: where its layout begins, the index of its entity in `KEPT`, the first word of its
state in a row's record (`snapshot.py`)."""

ENTITY_NUMBERS = 2
"""Of each entity: words of its state; where the layout of its labels begins."""

HOWS = ("add", "max", "tally")
CODES = ("I", "q", "H")
_HEAD = 5


def _build() -> Int64:
    role_at = _HEAD
    entity_at = role_at + ROLE_NUMBERS * len(ROLES)
    end = entity_at + ENTITY_NUMBERS * len(KEPT)
    layouts: list[int] = []
    heads: list[int] = []
    for role in ROLES:
        offset = OFFSETS[role.name] // 4
        heads += [end + len(layouts), KEPT.index(role.entity), offset]
        layouts += _of_role(role)
    for entity in KEPT:
        heads += [entity.size // 4, end + len(layouts)]
        layouts += _of_labels(entity)
    head = [BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS, len(ROLES), role_at, entity_at]
    return np.array([*head, *heads, *layouts], dtype=np.int64)


def _of_role(role: Role) -> Iterator[int]:
    """Number of stamps, the word of each; the word of the position, -1 for none; number of rings,
    of each `_of_ring`; number of tables, of each first word, capacity, and which of the row's ids
    is the partner."""
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
    """Number of rings of labels; of each first word, tile in ms, slots."""
    group = entity.groups.get("labels")
    rings = () if group is None else group.rings
    yield len(rings)
    for ring in rings:
        yield from (ring.offset // 4, ring.tile_ms, ring.slots)


FOLD_LAYOUT = _build()
"""int64[...]: the head, the numbers of roles and entities, their layouts."""
