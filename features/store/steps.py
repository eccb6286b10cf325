"""The Lua that puts a row into the state of one role, in place: `observe.lua` runs it.

Written out for each role, every offset in its place: a script's tables are built anew in each call,
and looking things up in them took longer than the arithmetic. The arithmetic is told in
`features/state.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from features.entities import Role
from features.rings import PARTNER_BYTES, Field, Ring, Table

_LUA_CODES = {"I": "I4", "q": "i8", "H": "I2"}

_STEP = """local function observe_{role}(key, state, row, touched)
local at_ms = row[1]
{parts}
end"""
_STAMP = """if at_ms > unpack_bytes('<i8', state, {offset}) then
call('SETRANGE', key, {offset} - 1, pack_bytes('<i8', at_ms))
end"""
_POSITION = """if row[LOCATED] ~= 0 and later(row, state, {offset}) then
call('SETRANGE', key, {offset} - 1, pack_bytes('<i8I4I4', at_ms, row[LAT], row[LON]))
end"""
_RING = """{when}
local tile = floor(at_ms / {tile_ms})
local offset = {offset} + tile % {slots} * {tile_bytes}
local epoch, {names} = unpack_bytes('{form}', state, offset)
if epoch <= tile then
if epoch < tile then {names} = {zeros} end
{grow}
call('SETRANGE', key, offset - 1, pack_bytes('{form}', tile, {names}))
end
end"""
_TALLY = """{when}
local tile = floor(at_ms / {tile_ms})
local offset, bytes = tally(state, {offset} + tile % {slots} * {tile_bytes}, tile, {tile_bytes},
  row[{source}], {limit})
if offset then call('SETRANGE', key, offset - 1, bytes) end
end"""
_TABLE = """if touched[{place}] ~= 0 then
local offset, bytes = touch(state, {first}, {last}, touched[{place}], floor(at_ms / 1000))
if offset then call('SETRANGE', key, offset - 1, bytes) end
end"""


def steps(roles: Sequence[Role]) -> str:
    """A function for each role, and `STEPS`, the list of them."""
    functions = [_STEP.format(role=role.name, parts="\n".join(_parts(role))) for role in roles]
    names = ", ".join(f"observe_{role.name}" for role in roles)
    return "\n".join([*functions, f"local STEPS = {{{names}}}"])


def _parts(role: Role) -> Iterator[str]:
    """Offsets count from 1 in strings of Lua, from 0 in commands."""
    for offset in role.stamp_offsets:
        yield _STAMP.format(offset=offset + 1)
    if role.entity.located:
        yield _POSITION.format(offset=role.entity.position_offset + 1)
    for ring in role.rings:
        yield _ring(ring)
    for place, table in enumerate(role.tables, start=3):
        yield _table(table, place)


def _ring(ring: Ring) -> str:
    kind = ring.kind
    first = kind.fields[0]
    about = {
        "when": "do" if kind.when == "one" else f"if row[{kind.when_index + 1}] ~= 0 then",
        "tile_ms": ring.tile_ms,
        "slots": ring.slots,
        "offset": ring.offset + 1,
        "tile_bytes": kind.struct.size,
    }
    if first.how == "tally":
        return _TALLY.format(**about, source=first.index + 1, limit=first.limit)
    names = [f"v{i}" for i in range(len(kind.fields))]
    return _RING.format(
        **about,
        names=", ".join(names),
        zeros=", ".join("0" * len(names)),
        form="<I4" + "".join(_LUA_CODES[field.code] for field in kind.fields),
        grow="\n".join(_grow(name, f) for name, f in zip(names, kind.fields, strict=True)),
    )


def _grow(name: str, field: Field) -> str:
    value = "1" if field.source == "one" else f"row[{field.index + 1}]"
    if field.how == "add":
        grown = f"{name} = {name} + {value}"
    else:
        grown = f"if {value} > {name} then {name} = {value} end"
    return f"{grown}\nif {name} > {field.limit} then {name} = {field.limit} end"


def _table(table: Table, place: int) -> str:
    last = table.offset + table.capacity * PARTNER_BYTES
    return _TABLE.format(place=place, first=table.offset + 1, last=last)
