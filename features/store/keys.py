"""The keys of the feature store in Redis."""

from __future__ import annotations

from features.definitions import SCHEMA_ID
from features.first_features import ROW_BYTES
from features.state.entities import LAYOUT_ID, Entity
from features.state.events import Key
from features.state.journal import FORMAT
from features.store.interface import Cursor

STATE_TTL_S = 14 * 86_400
"""An entity that is not touched for two weeks expires: PostgreSQL has its history."""

LATELY_S = 900
"""How long a state is marked as rebuilt."""

PROBE, PROBE_TTL_S = "q:p", 60
"""Written to check that Redis takes writes."""

_LAYOUT = f"{LAYOUT_ID}.{FORMAT}"

CURSOR, LABEL_LOG = f"q:c:{_LAYOUT}", f"q:l:{_LAYOUT}"


def state_key(entity: Entity, key: Key) -> str:
    """The journal of one entity."""
    return f"q:s:{_LAYOUT}:{entity.name}:{key[0]}:{key[1]}"


def aside_key(state: str) -> str:
    """The rows set aside for a missing state."""
    return f"q:a{state[3:]}"


def recent_key(state: str) -> str:
    """A key that exists while a state counts as recently rebuilt: it may hold rows that were missed
    before."""
    return f"q:i{state[3:]}"


def marker_key(transaction: Key) -> str:
    """The key under which it is noted where the features of a transaction are kept. It also marks
    that states contain the transaction, whatever the schema of the features, so the schema is not
    part of it."""
    return f"q:t:{transaction[0]}:{transaction[1]}"


def kept_key(receipt: str) -> str:
    """The features of all transactions of one call, concatenated."""
    return f"q:k:{SCHEMA_ID}.{ROW_BYTES}:{receipt}"


def cursor_text(cursor: Cursor) -> str:
    """A cursor as Redis keeps it."""
    return f"{cursor[0]}:{cursor[1]}"
