"""Put rows and labels into many states at once: the compiled counterpart of `state.py`.

States are seen as little-endian 32-bit words. Their layout is data (`fold_layout.py`): nothing here
is about any one entity. `journal.py` describes how rows and states look in a journal.

One file, because machine code is cached by file: functions that call each other change together.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from features.state.compiled import Compiled, Number, signed
from features.state.fold_layout import (
    BAND_START,
    ENTITY_AT,
    ENTITY_NUMBERS,
    N_ROLES,
    ROLE_AT,
    ROLE_NUMBERS,
    THRESHOLD,
)
from fraud.payment.batch import Int64

Words = NDArray[np.uint32]
Bools = NDArray[np.bool_]

# Compiled in: constants of the formats, which only change together with this file.
HEAD_WORDS = 4
"""Of a journal: the base id (2), words of its base, the day of its newest row."""
EVENT_WORDS = 12
"""Of a row: kind, flags, time (2), hundredths (2), latitude, longitude, hashes of its ids (4). Of a
label: kind, flags, time it became known (2), hundredths (2), that of its predecessor (2)."""
LABEL = 255
"""Kind of an event that is a label; the kind of a row is the number of its role."""
_N_SOURCES = 9
_AT, _ONE, _HUNDREDTHS, _SQUARES, _NEAR, _LOCATED, _LAT, _LON, _BUCKET = range(_N_SOURCES)
_SATURATION = 2**53
_LOW = 0xFFFFFFFF


@Compiled
def _load(words: Words, at: Number) -> Number:
    return signed(words[at]) | (signed(words[at + 1]) << 32)


@Compiled
def _store(words: Words, at: Number, value: Number) -> None:
    words[at] = value & _LOW
    words[at + 1] = value >> 32


@Compiled
def _source(layout: Int64, row: Int64, source: Int64) -> None:
    """Compute `rings.SOURCES` of a row from its `events.NUMBERS`."""
    hundredths = row[1]
    square = np.floor(np.float64(hundredths) * np.float64(hundredths) / 100.0 + 0.5)
    source[_AT] = row[0]
    source[_ONE] = 1
    source[_HUNDREDTHS] = hundredths
    source[_SQUARES] = _SATURATION if square > _SATURATION else signed(square)
    source[_NEAR] = layout[BAND_START] <= hundredths < layout[THRESHOLD]
    source[_LOCATED] = row[2]
    source[_LAT] = row[3]
    source[_LON] = row[4]
    source[_BUCKET] = row[5]


@Compiled
def _touch(state: Words, first: Number, capacity: Number, partner: Number, at_s: Number) -> None:
    stop = capacity - 1  # the entry that drops out
    for i in range(capacity):
        if state[first + 2 * i] == partner:
            if signed(state[first + 2 * i + 1]) >= at_s:
                return
            stop = i
            break
    for i in range(stop + 1):
        seen_s = signed(state[first + 2 * i + 1])
        if at_s > seen_s or (at_s == seen_s and partner > signed(state[first + 2 * i])):
            for j in range(stop, i, -1):
                state[first + 2 * j] = state[first + 2 * j - 2]
                state[first + 2 * j + 1] = state[first + 2 * j - 1]
            state[first + 2 * i] = partner
            state[first + 2 * i + 1] = at_s
            return


@Compiled
def _grow(
    state: Words, at: Number, how: Number, code: Number, limit: Number, value: Number
) -> None:
    """Put `value` into the field at word `at`; of a tally it is the number of the counter."""
    if code == 2:  # 16 bits
        word, shift = at + (value - 1) // 2, 16 * ((value - 1) % 2)
        count = (signed(state[word]) >> shift) & 0xFFFF
        if count < limit:
            state[word] += np.uint32(1) << np.uint32(shift)
        return
    old = _load(state, at) if code == 1 else signed(state[at])
    new = min(old + value if how == 0 else max(old, value), limit)
    if code == 1:
        _store(state, at, new)
    else:
        state[at] = new


@Compiled
def _put(state: Words, layout: Int64, role: Number, source: Int64, hashes: Words) -> None:
    """`state.observe`, in place."""
    p = layout[layout[ROLE_AT] + ROLE_NUMBERS * role]
    at_ms = source[_AT]
    n, p = layout[p], p + 1
    for _ in range(n):
        if at_ms > _load(state, layout[p]):
            _store(state, layout[p], at_ms)
        p += 1
    place, p = layout[p], p + 1
    if place >= 0 and source[_LOCATED] != 0:
        newest, lat, lon = (
            _load(state, place),
            signed(state[place + 2]),
            signed(state[place + 3]),
        )
        later = source[_LON] > lon if source[_LAT] == lat else source[_LAT] > lat
        if at_ms > newest or (at_ms == newest and later):
            _store(state, place, at_ms)
            state[place + 2] = source[_LAT]
            state[place + 3] = source[_LON]
    n, p = layout[p], p + 1
    for _ in range(n):
        n_fields, tile = layout[p + 5], at_ms // layout[p + 1]
        at = layout[p] + tile % layout[p + 2] * layout[p + 3]
        epoch = signed(state[at])
        if source[layout[p + 4]] != 0 and epoch <= tile:
            if epoch < tile:
                state[at : at + layout[p + 3]] = 0
                state[at] = tile
            for f in range(p + 6, p + 6 + 5 * n_fields, 5):
                value = source[layout[f + 1]]
                _grow(state, at + layout[f + 3], layout[f], layout[f + 2], layout[f + 4], value)
        p += 6 + 5 * n_fields
    n, p = layout[p], p + 1
    for _ in range(n):
        partner = signed(hashes[layout[p + 2]])
        if partner != 0:
            _touch(state, layout[p], layout[p + 1], partner, at_ms // 1000)
        p += 3


@Compiled
def _learn(
    state: Words,
    layout: Int64,
    entity: Number,
    known_at_ms: Number,
    fraud: Number,
    hundredths: Number,
    previous_ms: Number,
    previous_fraud: Number,
) -> None:
    """`state.learn`, in place; `previous_ms` is 0 where nothing is replaced."""
    p = layout[layout[ENTITY_AT] + ENTITY_NUMBERS * entity + 1]
    n = layout[p]
    for r in range(p + 1, p + 1 + 3 * n, 3):
        first, tile_ms, slots = layout[r], layout[r + 1], layout[r + 2]
        if previous_ms != 0:
            tile = previous_ms // tile_ms
            at = first + tile % slots * 5
            if signed(state[at]) == tile:
                state[at + 1] = max(signed(state[at + 1]) - 1, 0)
                state[at + 2] = max(signed(state[at + 2]) - previous_fraud, 0)
                _store(state, at + 3, max(_load(state, at + 3) - previous_fraud * hundredths, 0))
        tile = known_at_ms // tile_ms
        at = first + tile % slots * 5
        epoch = signed(state[at])
        if epoch > tile:
            continue
        if epoch < tile:
            state[at : at + 5] = 0
            state[at] = tile
        state[at + 1] = min(signed(state[at + 1]) + 1, _LOW)
        state[at + 2] = min(signed(state[at + 2]) + fraud, _LOW)
        _store(state, at + 3, min(_load(state, at + 3) + fraud * hundredths, _SATURATION))


@Compiled
def _show(state: Words, layout: Int64, role: Number, record: Words, present: Bools) -> None:
    """Copy a state into a row's record."""
    start = layout[layout[ROLE_AT] + ROLE_NUMBERS * role + 2]
    record[start : start + len(state)] = state
    present[role] = True


@Compiled
def run(
    layout: Int64,
    entity: Number,
    states: Words,
    items: Int64,
    fresh: Bools,
    numbers: Int64,
    hashes: Words,
    labels: Int64,
    records: Words,
    present: Bools,
) -> None:
    """Apply rows and labels to the states of one kind of entity, in order.

    Args:
        layout: `fold_layout.FOLD_LAYOUT`.
        entity: index of the kind in `KEPT`.
        states: uint32[n_states, words], changed in place.
        items: int64[m, 3]: the state, the role in which a row touches it (-1: a label), the row or
            label.
        fresh: bool[n]: rows that are put into states; the others only read them.
        numbers, hashes: int64[n, 6], uint32[n, 4]: of `Events`.
        labels: int64[l, 5]: known_at_ms, fraud, hundredths, previous_ms (0: none), previous_fraud.
        records, present: uint32[n, words of a record], bool[n, n_roles]: written, what rows saw.
    """
    source = np.zeros(_N_SOURCES, np.int64)
    for i in range(len(items)):
        state, role, which = states[items[i, 0]], items[i, 1], items[i, 2]
        if role < 0:
            label = labels[which]
            _learn(state, layout, entity, label[0], label[1], label[2], label[3], label[4])
            continue
        _show(state, layout, role, records[which], present[which])
        if fresh[which]:
            _source(layout, numbers[which], source)
            _put(state, layout, role, source, hashes[which])


@Compiled
def _event(event: Words, role: Number, row: Int64, hashes: Words) -> None:
    """Write a row as an event of a journal."""
    event[0] = role
    event[1] = row[2] | row[5] << 8
    _store(event, 2, row[0])
    _store(event, 4, row[1])
    event[6] = row[3]
    event[7] = row[4]
    event[8:12] = hashes


@Compiled
def _apply(
    state: Words, layout: Int64, entity: Number, event: Words, row: Int64, source: Int64
) -> None:
    """Put an event of a journal into a state. `row` and `source` are scratch space."""
    kind, flags = signed(event[0]), signed(event[1])
    at_ms, hundredths = _load(event, 2), _load(event, 4)
    if kind == LABEL:
        previous_ms = _load(event, 6)
        _learn(state, layout, entity, at_ms, flags & 1, hundredths, previous_ms, flags >> 1)
        return
    row[0] = at_ms
    row[1] = hundredths
    row[2] = flags & 1
    row[3] = event[6]
    row[4] = event[7]
    row[5] = flags >> 8
    _source(layout, row, source)
    _put(state, layout, kind, source, event[8:12])


@Compiled
def pack(state: Words, packed: Words, at: Number) -> Number:
    """Write a state to `packed` from word `at` on. Returns the word after it.

    Runs of zeros are left out: a word with the number of zeros (upper 16 bits) and the number of
    literal words that follow (lower 16 bits), these words, and so on.
    """
    n = len(state)
    i = 0
    while i < n:
        first = i
        while first < n and state[first] == 0:
            first += 1
        if first == n:
            break
        # A single zero between others is not worth a word of its own.
        last = first + 1
        while last < n and (state[last] != 0 or (last + 1 < n and state[last + 1] != 0)):
            last += 1
        packed[at] = (first - i) << 16 | (last - first)
        packed[at + 1 : at + 1 + last - first] = state[first:last]
        at += 1 + last - first
        i = last
    return at


@Compiled
def _unpack(packed: Words, at: Number, stop: Number, state: Words) -> None:
    i = 0
    while at < stop:
        head = signed(packed[at])
        i += head >> 16
        n = head & 0xFFFF
        state[i : i + n] = packed[at + 1 : at + 1 + n]
        i += n
        at += 1 + n


@Compiled
def _open(
    journals: Words,
    start: Number,
    stop: Number,
    layout: Int64,
    entity: Number,
    state: Words,
    row: Int64,
    source: Int64,
) -> Number:
    """Read a journal into `state`. Returns the number of events after its base."""
    state[:] = 0
    at = start + HEAD_WORDS + signed(journals[start + 2])
    _unpack(journals, start + HEAD_WORDS, at, state)
    n = (stop - at) // EVENT_WORDS
    for _ in range(n):
        _apply(state, layout, entity, journals[at : at + EVENT_WORDS], row, source)
        at += EVENT_WORDS
    return n


@Compiled
def events_of(
    places: Int64, fresh: Bools, numbers: Int64, hashes: Words, n_keys: int
) -> tuple[Words, Int64, Int64]:
    """The events that rows add to journals.

    Args:
        places: int64[n, n_roles]: the journal that a row touches in each role, -1 for none.
        fresh: bool[n]: rows to be added.
        numbers, hashes: int64[n, 6], uint32[n, 4]: of `Events`.
        n_keys: number of journals.

    Returns:
        uint32[m, EVENT_WORDS]: events grouped by journal, in the order of the rows;
        int64[n_keys + 1]: where each journal's events begin; int64[n_keys]: time of the newest
        event of each journal, 0 if there is none.
    """
    n, n_roles = places.shape
    starts, newest = np.zeros(n_keys + 2, np.int64), np.zeros(n_keys, np.int64)
    for i in range(n):
        for r in range(n_roles):
            if fresh[i] and places[i, r] >= 0:
                starts[places[i, r] + 2] += 1
    for k in range(n_keys):
        starts[k + 2] += starts[k + 1]
    events = np.zeros((starts[n_keys + 1], EVENT_WORDS), np.uint32)
    for i in range(n):
        for r in range(n_roles):
            k = places[i, r]
            if fresh[i] and k >= 0:
                _event(events[starts[k + 1]], r, numbers[i], hashes[i])
                starts[k + 1] += 1
                newest[k] = max(newest[k], numbers[i, 0])
    return events, starts[: n_keys + 1], newest


@Compiled
def _touched(places: Int64, n_keys: Number) -> tuple[Int64, Int64]:
    """Rows and roles that touch each journal: int64[m], flat indices into `places`, grouped by
    journal; int64[n_keys + 1], where each group begins."""
    n, n_roles = places.shape
    starts = np.zeros(n_keys + 2, np.int64)
    for i in range(n):
        for r in range(n_roles):
            if places[i, r] >= 0:
                starts[places[i, r] + 2] += 1
    for k in range(n_keys):
        starts[k + 2] += starts[k + 1]
    at = np.empty(starts[n_keys + 1], np.int64)
    for i in range(n):
        for r in range(n_roles):
            k = places[i, r]
            if k >= 0:
                at[starts[k + 1]] = i * n_roles + r
                starts[k + 1] += 1
    return at, starts[: n_keys + 1]


@Compiled
def fold(
    layout: Int64,
    journals: Words,
    lengths: Int64,
    kinds: Int64,
    places: Int64,
    fresh: Bools,
    numbers: Int64,
    hashes: Words,
    records: Words,
    present: Bools,
    most_events: Number,
) -> tuple[Words, Int64]:
    """Read journals and apply rows to them, in order.

    Args:
        layout: `fold_layout.FOLD_LAYOUT`.
        journals: uint32[...]: all journals, concatenated.
        lengths: int64[n_keys]: words of each, 0 for a missing one.
        kinds: int64[n_keys]: index of the entity in `KEPT`.
        places, fresh, numbers, hashes: see `events_of`; rows that are not fresh read states and
            change nothing.
        records, present: uint32[n, words of a record], bool[n, n_roles]: written, what rows saw.
        most_events: a journal with this many events after its base, those of the rows included,
            gets a new base.

    Returns:
        New bases, concatenated; int64[n_keys + 1]: where each begins. A base is the state after the
        rows; it is empty where no new one is due.
    """
    n_roles, entities = layout[N_ROLES], layout[ENTITY_AT]
    row, source = np.zeros(6, np.int64), np.zeros(_N_SOURCES, np.int64)
    touched, starts = _touched(places, len(kinds))
    bases = np.empty(0, np.uint32)
    ends = np.zeros(len(kinds) + 1, np.int64)
    begin = used = 0
    for k in range(len(kinds)):
        stop = begin + lengths[k]
        if stop > begin:
            words = layout[entities + ENTITY_NUMBERS * kinds[k]]
            state = np.empty(words, np.uint32)
            n = _open(journals, begin, stop, layout, kinds[k], state, row, source)
            for t in range(starts[k], starts[k + 1]):
                i, r = touched[t] // n_roles, touched[t] % n_roles
                _show(state, layout, r, records[i], present[i])
                if fresh[i]:
                    _source(layout, numbers[i], source)
                    _put(state, layout, r, source, hashes[i])
                    n += 1
            if n >= most_events:
                room = used + words + words // 2 + 2
                if room > len(bases):
                    wider = np.empty(2 * room, np.uint32)
                    wider[:used] = bases[:used]
                    bases = wider
                used = pack(state, bases, used)
        begin = stop
        ends[k + 1] = used
    return bases[:used], ends
