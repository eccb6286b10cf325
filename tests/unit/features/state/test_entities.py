"""The layout of entities' states, and the parts that rows touch."""

from __future__ import annotations

from itertools import pairwise

import pytest

from features.state.entities import KEPT, ROLES, Entity
from features.state.rings import PARTNER_BYTES


@pytest.mark.parametrize("entity", KEPT, ids=lambda e: e.name)
def test_rings_and_tables_lie_side_by_side(entity: Entity) -> None:
    edges = [(r.offset, r.offset + r.slots * r.kind.struct.size) for r in entity.rings]
    edges += [(t.offset, t.offset + t.capacity * PARTNER_BYTES) for t in entity.tables]
    assert all(a[1] == b[0] for a, b in pairwise(edges))
    assert edges[0][0] == entity.position_offset + 16 * entity.located
    assert edges[-1][1] == entity.size
    for group in entity.groups.values():
        assert entity.dtype.fields[group.name][1] == group.offset
        assert group.kind.struct.size == group.kind.dtype.itemsize


def test_a_row_touches_every_part_that_takes_rows() -> None:
    for entity in KEPT:
        roles = [role for role in ROLES if role.entity is entity]
        assert sorted(name for role in roles for name in role.groups) == sorted(
            g.name for g in entity.groups.values() if g.kind.when
        )
        assert sorted(name for role in roles for name in role.partners) == sorted(
            t.partner for t in entity.tables
        )
