"""Rebuilds the state of an entity from the system of record."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import asyncpg

from features.entities import (
    PARTNER_BYTES,
    SATURATION,
    TILE_BYTES,
    Entity,
    Ring,
    Table,
)
from features.events import Key
from features.tiles import partner_hash
from fraud.errors import StoreUnavailable

DISCONNECTED = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server ended the connection in mid-call
)
"""What asyncpg raises, besides PostgreSQL's own errors, when PostgreSQL does not answer."""

# A mistake in our own SQL is not among these: it must be loud.
_DOWN = (
    *DISCONNECTED,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
)

_TEMPLATE = files("features.store").joinpath("rebuild.sql").read_text()

# Column and table names below come from features/entities.py, never from a request.
_TILES = """UNION ALL
SELECT n, {kind}, at_ms / {tile_ms}, NULL, count(*), sum(amount_hundredths), sum(squares)
FROM events WHERE at_ms / {tile_ms} > last_ms / {tile_ms} - {slots}
GROUP BY n, at_ms / {tile_ms}"""
_PARTNERS = """UNION ALL
SELECT n, {kind}, at_s, partner, 0, 0, 0 FROM (
    SELECT n, max(at_ms / 1000) AS at_s, {column} AS partner,
           rank() OVER (PARTITION BY n ORDER BY max(at_ms / 1000) DESC) AS place
    FROM events WHERE {column} IS NOT NULL GROUP BY n, {column}
) AS ranked WHERE place <= {capacity}"""


@cache
def rebuild_sql(entity: Entity) -> str:
    """The query for one kind of entity; see `rebuild.sql`."""
    tiles = [
        _TILES.format(kind=kind, tile_ms=ring.tile_ms, slots=ring.slots)
        for kind, ring in enumerate(entity.rings, start=1)
    ]
    partners = [
        _PARTNERS.format(kind=-kind, column=table.column, capacity=table.capacity)
        for kind, table in enumerate(entity.tables, start=1)
    ]
    return _TEMPLATE.format(
        column=entity.column, tiles="\n".join(tiles), partners="\n".join(partners)
    )


class PostgresHistory:
    """See `StateSource`. A state rebuilt here reads the same as one that saw the events live."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    async def rebuild(
        self, entity: Entity, keys: Sequence[Key], without: Iterable[Key]
    ) -> list[bytes]:
        """See `StateSource`."""
        tenants, ids = [list(column) for column in zip(*keys, strict=True)]
        left_out = list(without)
        try:
            rows = await self._pool.fetch(
                rebuild_sql(entity),
                tenants,
                ids,
                [tenant for tenant, _ in left_out],
                [transaction for _, transaction in left_out],
            )
        except _DOWN as error:
            raise StoreUnavailable(f"PostgreSQL: {type(error).__name__}") from error
        return _states(entity, len(keys), rows)


def _states(entity: Entity, n: int, rows: Sequence[Any]) -> list[bytes]:
    states = [bytearray(entity.size) for _ in range(n)]
    partners: dict[tuple[int, int], dict[int, int]] = {}
    for row in rows:
        state, kind = states[row["n"]], row["kind"]
        if kind == 0:
            struct.pack_into("<q", state, 0, row["a"])
        elif kind > 0:
            _put_tile(state, entity.rings[kind - 1], row)
        else:
            seen = partners.setdefault((row["n"], -kind - 1), {})
            hashed = partner_hash(row["partner"])
            seen[hashed] = max(seen.get(hashed, 0), row["a"])
    for (i, t), seen in partners.items():
        _put_partners(states[i], entity.tables[t], seen)
    return [bytes(state) for state in states]


def _put_tile(state: bytearray, ring: Ring, row: Any) -> None:
    tile = row["a"]
    struct.pack_into(
        "<IIqq",
        state,
        ring.offset + tile % ring.slots * TILE_BYTES,
        tile,
        row["count"],
        min(int(row["total"]), SATURATION),
        min(int(row["squares"]), SATURATION),
    )


def _put_partners(state: bytearray, table: Table, seen: dict[int, int]) -> None:
    newest = sorted(((at_s, hashed) for hashed, at_s in seen.items()), reverse=True)
    for i, (at_s, hashed) in enumerate(newest[: table.capacity]):
        struct.pack_into("<II", state, table.offset + i * PARTNER_BYTES, hashed, at_s)
