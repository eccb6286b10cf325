"""What things are called in Redis."""

from __future__ import annotations

from features.definitions import SCHEMA_ID
from features.first_features import ROW_BYTES
from features.state.entities import LAYOUT_ID, Entity
from features.state.events import Key
from features.state.journal import FORMAT
from features.store.interface import Cursor

STATE_TTL_S = 14 * 86_400
"""An entity that nobody touches for two weeks is let go: PostgreSQL has its history."""

LATELY_S = 900
"""How long it is known of a state that it was rebuilt."""

PROBE, PROBE_TTL_S = "q:p", 60
"""Written to see that writes are taken."""

_LAYOUT = f"{LAYOUT_ID}.{FORMAT}"

CURSOR, LABEL_LOG = f"q:c:{_LAYOUT}", f"q:l:{_LAYOUT}"


def state_key(entity: Entity, key: Key) -> str:
    """Of the journal of one entity."""
    return f"q:s:{_LAYOUT}:{entity.name}:{key[0]}:{key[1]}"


def aside_key(state: str) -> str:
    """Of the rows that are put aside for a state that is not there."""
    return f"q:a{state[3:]}"


def recent_key(state: str) -> str:
    """There while a state was rebuilt lately: it may hold rows that were missed before."""
    return f"q:i{state[3:]}"


def marker(transaction: Key) -> str:
    """Of where to find what is remembered of a transaction. Whatever features are made of states, a
    transaction is in them once: no schema is part of the name."""
    return f"q:t:{transaction[0]}:{transaction[1]}"


def kept_key(receipt: str) -> str:
    """Of what is remembered of the transactions of one call, one after the other."""
    return f"q:k:{SCHEMA_ID}.{ROW_BYTES}:{receipt}"


def text(cursor: Cursor) -> str:
    """A cursor as Redis keeps it."""
    return f"{cursor[0]}:{cursor[1]}"
