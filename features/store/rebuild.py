"""The query that rebuilds the states of one kind of entity, and the states from its rows."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import Any

from features.state.entities import Entity, Role
from features.state.events import category_slot, roles_of
from features.state.rings import PARTNER_BYTES, Field, Ring, Table
from features.state.state import partner_hash
from features.state.structuring import BAND_START_HUNDREDTHS, THRESHOLD_HUNDREDTHS
from features.store.span import Span
from stores.statements import statement

_TEMPLATE = statement("features/store/sql/rebuild.sql")
_LABELLED = statement("features/store/sql/rebuild_labels.sql")

# Column and table names below come from features/state/entities.py, never from a request.
_NEWEST = """(SELECT t.occurred_at FROM transactions t
         WHERE {whose}
           AND t.occurred_at >= {{since}} AND t.occurred_at < {{until}}
           AND (t.tenant, t.transaction_id) NOT IN (TABLE left_out)
         ORDER BY t.occurred_at DESC LIMIT 1)"""
_ROWS = """    SELECT w.n, {leg} AS leg, w.occurred_at AS last_at, t.*
    FROM newest w
    JOIN transactions t
      ON {whose}
     AND t.occurred_at > w.occurred_at - interval '61 days'
     AND t.occurred_at >= {{since}} AND t.occurred_at < {{until}}
    WHERE (t.tenant, t.transaction_id) NOT IN (TABLE left_out)"""
_TILES = """UNION ALL
SELECT n, 'ring:{ring}', at_ms / {tile_ms}, {key}, {values}
FROM events
WHERE leg = {leg} AND {when} AND at_ms / {tile_ms} > last_ms / {tile_ms} - {slots}
GROUP BY n, at_ms / {tile_ms}{also}"""
_LABEL_TILES = """UNION ALL
SELECT n, 'ring:{ring}', known_ms / {tile_ms}, NULL, count(*), sum(fraud), sum(hundredths)
FROM labelled GROUP BY n, known_ms / {tile_ms}"""
_PARTNERS = """UNION ALL
SELECT n, 'table:{table}', at_s, partner, 0, 0, 0 FROM (
    SELECT n, max(at_ms / 1000) AS at_s, {column} AS partner,
           rank() OVER (PARTITION BY n ORDER BY max(at_ms / 1000) DESC) AS place
    FROM events WHERE leg = {leg} AND {column} IS NOT NULL GROUP BY n, {column}
) AS ranked WHERE place <= {capacity}"""
_STAMP = """UNION ALL
SELECT n, 'stamp:{offset}', max(at_ms), NULL, 0, 0, 0
FROM events WHERE leg = {leg} GROUP BY n"""
_POSITION = """UNION ALL
(SELECT DISTINCT ON (n) n, 'position', at_ms, NULL, lat, lon, 0
FROM events WHERE located ORDER BY n, at_ms DESC, lat DESC, lon DESC)"""
_CONDITIONS = {
    "one": "true",
    "near": "near",
    "located": "located",
    "bucket": "merchant_category IS NOT NULL",
}


def rebuild_sql(entity: Entity, span: Span) -> str:
    """The query for one kind of entity; see `rebuild.sql`."""
    return _rebuild_sql(entity).format(**asdict(span))


@cache
def _rebuild_sql(entity: Entity) -> str:
    """The query with the attributes of a `Span` still in braces."""
    roles = roles_of(entity)
    labels = entity.groups.get("labels")
    parts = [part for leg, role in enumerate(roles) for part in _parts_of(leg, role)]
    if labels is not None:
        parts += [
            _LABEL_TILES.format(ring=entity.rings.index(ring), tile_ms=ring.tile_ms)
            for ring in labels.rings
        ]
    return _TEMPLATE.format(
        newest="\nUNION ALL\n".join(_NEWEST.format(whose=_whose(role)) for role in roles),
        rows="\nUNION ALL\n".join(
            _ROWS.format(leg=leg, whose=_whose(role)) for leg, role in enumerate(roles)
        ),
        band_start=BAND_START_HUNDREDTHS,
        threshold=THRESHOLD_HUNDREDTHS,
        labels="" if labels is None else _LABELLED.format(column=entity.column),
        parts="\n".join(parts),
    )


def _whose(role: Role) -> str:
    own = f"t.tenant = w.tenant AND t.{role.column} = w.id"
    if not role.transfer:
        return own
    other = "customer_id" if role.column == "counterparty_id" else "counterparty_id"
    return f"{own} AND t.{other} <> w.id"


def _parts_of(leg: int, role: Role) -> list[str]:
    entity = role.entity
    parts = [_tiles(leg, entity, ring) for ring in role.rings]
    parts += [
        _PARTNERS.format(
            table=entity.tables.index(table), column=table.column, capacity=table.capacity, leg=leg
        )
        for table in role.tables
    ]
    parts += [_STAMP.format(offset=offset, leg=leg) for offset in role.stamp_offsets[1:]]
    return [*parts, _POSITION] if entity.located else parts


def _tiles(leg: int, entity: Entity, ring: Ring) -> str:
    fields = ring.kind.fields
    tally = fields[0].how == "tally"
    values = ["count(*)" if f.source == "one" or tally else _aggregate(f) for f in fields]
    return _TILES.format(
        ring=entity.rings.index(ring),
        tile_ms=ring.tile_ms,
        slots=ring.slots,
        leg=leg,
        when=_CONDITIONS[ring.kind.when],
        key="merchant_category" if tally else "NULL",
        also=", merchant_category" if tally else "",
        values=", ".join([*values, "0", "0"][:3]),
    )


def _aggregate(field: Field) -> str:
    return f"{'max' if field.how == 'max' else 'sum'}({field.source})"


def states_of(entity: Entity, n: int, rows: Sequence[Any]) -> list[bytes]:
    """n states from the rows of `rebuild_sql`."""
    states = [bytearray(entity.size) for _ in range(n)]
    partners: dict[tuple[int, int], dict[int, int]] = {}
    for row in rows:
        state = states[row["n"]]
        part, _, which = row["part"].partition(":")
        if part == "ring":
            _put_tile(state, entity.rings[int(which)], row)
        elif part == "table":
            seen = partners.setdefault((row["n"], int(which)), {})
            hashed = partner_hash(row["partner"])
            seen[hashed] = max(seen.get(hashed, 0), row["a"])
        elif part == "position":
            place = (row["a"], int(row["v1"]), int(row["v2"]))
            struct.pack_into("<qII", state, entity.position_offset, *place)
        else:
            struct.pack_into("<q", state, int(which or 0), row["a"])
    for (i, t), seen in partners.items():
        _put_partners(states[i], entity.tables[t], seen)
    return [bytes(state) for state in states]


def _put_tile(state: bytearray, ring: Ring, row: Any) -> None:
    tile, kind = row["a"], ring.kind
    offset = ring.offset + tile % ring.slots * kind.struct.size
    epoch, *values = kind.struct.unpack_from(state, offset)
    if epoch > tile:
        return
    if epoch < tile:
        values = [0] * len(values)
    if kind.fields[0].how == "tally":
        counter, limit = category_slot(row["partner"]), kind.fields[0].limit
        values[counter] = min(values[counter] + int(row["v1"]), limit)
    else:
        found = (row["v1"], row["v2"], row["v3"])
        values = [min(int(v), f.limit) for v, f in zip(found, kind.fields, strict=False)]
    kind.struct.pack_into(state, offset, tile, *values)


def _put_partners(state: bytearray, table: Table, seen: dict[int, int]) -> None:
    newest = sorted(((at_s, hashed) for hashed, at_s in seen.items()), reverse=True)
    for i, (at_s, hashed) in enumerate(newest[: table.capacity]):
        struct.pack_into("<II", state, table.offset + i * PARTNER_BYTES, hashed, at_s)
