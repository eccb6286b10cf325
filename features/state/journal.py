"""Journals: the state of an entity in a store with several writers.

    base id   8 bytes            random, identifies this base
    size      u32                of the base, in 32-bit words
    day       u32                of the newest row that extended the journal's expiry
    base      size x u32         the state, with runs of zeros left out (`folding.pack`)
    events    m x 48 bytes       later rows and labels, in the order of their arrival

Writers append events without reading: that is all a store needs to know about states. Readers apply
the events to the base. Now and then a reader replaces base and events by a new base, provided that
the journal still begins with the base it read, so that no event is lost. The order of events
changes nothing (`rings.py`).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator

import numpy as np

from features.state.entities import ENTITIES, Entity
from features.state.events import Key
from features.state.folding import EVENT_WORDS, HEAD_WORDS, LABEL, pack
from features.state.labels import LabelEvents
from features.state.windows import DAY_MS

FORMAT = 1
"""Version of this format: journals of another are never read."""

ID_BYTES, EVENT_BYTES = 8, EVENT_WORDS * 4
DAY_AT = 12
"""First byte of the day."""

_HEAD = struct.Struct("<8sI")
_LENGTH = struct.Struct("<I")
_LABEL = struct.Struct("<IIqqqqq")
assert _LABEL.size == EVENT_BYTES
assert _HEAD.size == DAY_AT == HEAD_WORDS * 4 - 4


def head(n_words: int) -> bytes:
    """The first bytes of a journal with a new base of `n_words`, up to the day."""
    return _HEAD.pack(os.urandom(ID_BYTES), n_words)


def journal_of(state: bytes) -> bytes:
    """A journal without events."""
    words = np.frombuffer(state, dtype=np.uint32)
    packed = np.empty(2 * len(words) + 2, dtype=np.uint32)
    n = int(pack(words, packed, 0))
    (last_ms,) = struct.unpack_from("<q", state)  # the first field of every state
    return head(n) + _LENGTH.pack(last_ms // DAY_MS) + packed[:n].tobytes()


def events_in(journal: bytes) -> int:
    """The number of events after a journal's base."""
    _, words = _HEAD.unpack_from(journal)
    return (len(journal) - (HEAD_WORDS + int(words)) * 4) // EVENT_BYTES


def aside_of(event: bytes, transaction: Key) -> bytes:
    """A row set aside while its journal is missing: the event, the length of the tenant's name
    (u32), the name, the transaction's id."""
    tenant, identity = (part.encode() for part in transaction)
    return event + _LENGTH.pack(len(tenant)) + tenant + identity


def transaction_of(aside: bytes) -> Key:
    """The transaction of a row that was set aside."""
    begin = EVENT_BYTES + _LENGTH.size
    end = begin + int(_LENGTH.unpack_from(aside, EVENT_BYTES)[0])
    return aside[begin:end].decode(), aside[end:].decode()


def with_lengths(parts: Iterable[bytes]) -> bytes:
    """Concatenate byte strings, each after its length (u32)."""
    return b"".join([_LENGTH.pack(len(part)) + part for part in parts])


def labels_of(labels: LabelEvents) -> Iterator[tuple[Entity, str, str, bytes]]:
    """Yield (entity, tenant, id, event) for each label and each entity of its payment."""
    for i, tenant in enumerate(labels.tenant):
        previous_ms, previous_fraud = labels.previous[i] or (0, False)
        flags = int(labels.fraud[i]) | int(previous_fraud) << 1
        event = _LABEL.pack(
            LABEL, flags, labels.known_at_ms[i], labels.hundredths[i], previous_ms, 0, 0
        )
        for entity in ENTITIES:
            identity = labels.ids[entity.name][i]
            if identity is not None:
                yield entity, tenant, identity, event
