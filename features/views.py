"""Entity views: the numbers read from states, joined with their payments."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.families.rows import Rows
from features.families.view import FIELDS, PARTNER_TABLES, VIEW, WINDOWS, Views
from features.state.compiled import Compiled
from features.state.entities import ROLES, Role
from features.state.read_layout import READ_LAYOUT
from features.state.reading import Reading
from fraud.payment.batch import Float64, Int64


def views_of(rows: Rows, reading: Reading) -> dict[str, Views]:
    """Join payments with the numbers read from the states of their entities.

    Args:
        rows: n transactions.
        reading: of their states.

    Returns:
        Role -> one view for each row with a state in that role, in the order of the rows; roles
        without any are left out.
    """
    if not reading.present.any():
        return {}
    words = np.empty((len(ROLES), len(rows), VIEW.itemsize // 8), dtype=np.int64)
    found = _gather(words, reading.seen, reading.present, _WORD_PAIRS)
    views: Views = np.ndarray(words.shape[:2], VIEW, words)
    _complete(
        views,
        found,
        rows.hundredths,
        _degrees(rows.batch.latitude),
        _degrees(rows.batch.longitude),
        _names(rows),
    )
    return {ROLES[r].name: views[r, :m] for r, m in enumerate(found.tolist()) if m}


def _word_pairs() -> Int64:
    """For each role how many numbers it has; of each its column when read, its word in a view."""
    numbers: list[int] = []
    for role in ROLES:
        pairs: list[tuple[int, int]] = []
        for (of, name), (first, stop) in READ_LAYOUT.columns.items():
            if of == role.name and (word := _word(role, name)) is not None:
                pairs += zip(range(first, stop), range(word, word + stop - first), strict=True)
        numbers += [len(pairs), *(number for pair in pairs for number in pair)]
    return np.array(numbers, dtype=np.int64)


def _word(role: Role, name: str) -> int | None:
    """The first word of the number `name` in a view; None if no family uses it."""
    assert VIEW.fields is not None
    kind, _, partner = name.partition(":")
    partners = [table.partner for table in role.entity.tables]
    entity = role.entity
    if partner in partners and kind == "distinct":
        windows = entity.partner_windows or entity.windows
        at = partners.index(partner) * len(WINDOWS) + WINDOWS.index(windows[0])
        return _first_word("distinct") + at
    if partner in partners and kind == "since":
        return _first_word("partner_since_s") + partners.index(partner)
    if name in FIELDS["amounts"]:
        return _first_word(name) + WINDOWS.index(entity.windows[0])
    return _first_word(name) if name in VIEW.fields else None


def _first_word(name: str) -> int:
    assert VIEW.fields is not None
    return int(VIEW.fields[name][1]) // 8


_WORD_PAIRS = _word_pairs()


def _degrees(values: Sequence[float | None]) -> Float64:
    return np.array(values, dtype=np.float64)  # None becomes NaN


def _names(rows: Rows) -> Int64:
    """int64[n, len(PARTNER_TABLES)]: 1 for each partner that the payment names, else 0."""
    names = np.ones((len(rows), len(PARTNER_TABLES)), dtype=np.int64)
    for j, table in enumerate(PARTNER_TABLES):
        ids = getattr(rows.batch, table.column)
        if None in ids:
            names[:, j] = [value is not None for value in ids]
    return names


@Compiled
def _gather(words: Int64, seen: Int64, present: NDArray[np.bool_], word_pairs: Int64) -> Int64:
    """Fill in the row number, which is the first word, and the numbers of the state; the rest is 0.

    Returns:
        int64[n_roles]: how many rows have a state in each role.

    Args:
        words: int64[n_roles, n, n_words]: the views, written.
        seen, present: of a `Reading`.
        word_pairs: see `_word_pairs`.
    """
    found = np.zeros(len(words), np.int64)
    at = 0
    for r in range(len(words)):
        n_numbers, m = word_pairs[at], 0
        for i in range(len(seen)):
            if present[i, r]:
                own = words[r, m]
                own[:] = 0
                own[0] = i
                for p in range(at + 1, at + 1 + 2 * n_numbers, 2):
                    own[word_pairs[p + 1]] = seen[i, word_pairs[p]]
                m += 1
        found[r] = m
        at += 1 + 2 * n_numbers
    return found


@Compiled
def _complete(
    views: Views,
    found: Int64,
    hundredths: Int64,
    latitude: Float64,
    longitude: Float64,
    names: Int64,
) -> None:
    """Add the numbers of the payment, and those derived from the state.

    Args:
        views: VIEW[n_roles, n]; role r has the first `found[r]`.
        found: int64[n_roles].
        hundredths, latitude, longitude, names: of the n payments, as in `VIEW`.
    """
    for r in range(len(found)):
        for k in range(found[r]):
            view = views[r, k]
            i = view.row
            view.hundredths = hundredths[i]
            view.units = hundredths[i] / 100.0
            view.latitude = latitude[i]
            view.longitude = longitude[i]
            for t in range(len(view.names)):
                view.names[t] = names[i, t]
            for w in range(len(view.mean)):
                hundred = view.count[w] * 100.0
                mean = view.total[w] / hundred
                # Each square is rounded to hundredths: less than that is no deviation.
                variance = view.squares[w] / hundred - mean * mean
                deviation = 0.0 if variance < 0.01 else np.sqrt(variance)
                view.mean[w] = mean
                view.deviation[w] = deviation if view.count[w] > 1 else np.nan
