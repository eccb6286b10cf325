"""Window aggregates, array by array, put beside the payments they are about: a record for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from features.compiled import Compiled
from features.entities import ROLES, Role
from features.families.case import CASE, NAMED, SAID, WINDOWS, Cases
from features.families.rows import Rows
from features.tiles import WindowAggregates
from features.windows import Window
from fraud.batch import Float64, Int64


def cases_of(rows: Rows, aggregates: Mapping[str, WindowAggregates]) -> dict[str, Cases]:
    """Role -> a case for each row in which its state is there, in their order; roles in which there
    is none are left out.

    Args:
        rows: n transactions.
        aggregates: role -> what its state said, of n rows each.
    """
    if not aggregates:
        return {}
    present: list[NDArray[np.bool_]] = []
    windows: list[Int64] = []
    numbers: list[Int64] = []
    for source in _SOURCES:
        seen = aggregates.get(source.role)
        if seen is None:
            present.append(_NOBODY)
            windows += source.no_windows
            numbers += source.no_numbers
        else:
            present.append(seen.present)
            windows += source.windows(seen)
            windows += map(seen.distinct.__getitem__, source.partners)
            numbers += source.numbers(seen)
            numbers += map(seen.partner_since_s.__getitem__, source.partners)
    words = np.empty((len(_SOURCES), len(rows), CASE.itemsize // 8), dtype=np.int64)
    found = _gather(words, tuple(present), tuple(windows), tuple(numbers), _PLAN)
    cases: Cases = np.ndarray(words.shape[:2], CASE, words)
    _complete(
        cases,
        found,
        rows.hundredths,
        _degrees(rows.batch.latitude),
        _degrees(rows.batch.longitude),
        _names(rows),
    )
    return {_SOURCES[r].role: cases[r, :m] for r, m in enumerate(found.tolist()) if m}


class _Source:
    """What the state in one role says, and where in a case it goes.

    Attributes:
        role: its name.
        windows, numbers: the arrays of `WindowAggregates` over windows, and of one number a row.
        partners: its tables of partners, of each of which there is one more array of both.
        no_windows, no_numbers: as many arrays of no rows.
        plan: how many arrays over windows there are, and how many others; the words of a case in
            which each begins.
    """

    def __init__(self, role: Role) -> None:
        entity = role.entity
        said = {"since_ms": 1}
        for group in entity.groups:
            said |= SAID.get(group, {})
        wide = [name for name, width in said.items() if width > 1]
        single = [name for name, width in said.items() if width == 1]
        self.role = role.name
        self.partners = [table.partner for table in entity.tables]
        self.windows = attrgetter(*wide)
        self.numbers = attrgetter(*single)
        first = _first(entity.windows)
        words = [_word(name) + first * (name in SAID["amounts"]) for name in wide]
        first = _first(entity.partner_windows or entity.windows)
        n_tables = len(self.partners)
        words += [_word("distinct") + t * len(WINDOWS) + first for t in range(n_tables)]
        words += [_word(name) for name in single]
        words += [_word("partner_since_s") + t for t in range(n_tables)]
        n_windows, n_numbers = len(wide) + n_tables, len(single) + n_tables
        self.no_windows = [np.empty((0, 0), dtype=np.int64)] * n_windows
        self.no_numbers = [np.empty(0, dtype=np.int64)] * n_numbers
        self.plan = [n_windows, n_numbers, *words]


def _word(name: str) -> int:
    assert CASE.fields is not None
    return int(CASE.fields[name.replace(".", "_")][1]) // 8


def _first(windows: Sequence[Window]) -> int:
    return WINDOWS.index(windows[0]) if windows else 0


_SOURCES = [_Source(role) for role in ROLES]
_PLAN = np.array([number for source in _SOURCES for number in source.plan], dtype=np.int64)
_NOBODY = np.empty(0, dtype=np.bool_)


def _degrees(values: Sequence[float | None]) -> Float64:
    return np.array(values, dtype=np.float64)  # None becomes NaN


def _names(rows: Rows) -> Int64:
    """int64[n, len(NAMED)]: 1 for whom the payment names, else 0."""
    names = np.ones((len(rows), len(NAMED)), dtype=np.int64)
    for j, table in enumerate(NAMED):
        ids = getattr(rows.batch, table.column)
        if None in ids:
            names[:, j] = [value is not None for value in ids]
    return names


def _any(dtype: str, ndim: int, many: int) -> str:
    """The type of `many` arrays, each with any strides."""
    return f"UniTuple(Array({dtype}, {ndim}, 'A', readonly=True), {many})"


# Every role has its arrays, always: one type of arguments, which is compiled once.
@Compiled.to(
    f"int64[::1](int64[:, :, ::1], {_any('boolean', 1, len(_SOURCES))},"
    f"{_any('int64', 2, sum(len(source.no_windows) for source in _SOURCES))},"
    f"{_any('int64', 1, sum(len(source.no_numbers) for source in _SOURCES))}, int64[::1])"
)
def _gather(
    words: Int64,
    present: tuple[NDArray[np.bool_], ...],
    windows: tuple[Int64, ...],
    numbers: tuple[Int64, ...],
    plan: Int64,
) -> Int64:
    """int64[n_roles]: how many rows have a state in each role. Their cases are begun: all zero but
    for the row, which is the first word of a case, and for what the state says.

    Args:
        words: int64[n_roles, n, n_words]: the cases, written.
        present: bool[n] of each role, or bool[0].
        windows: int64[n, n_windows] each, role by role.
        numbers: int64[n] each, role by role.
        plan: those of all sources.
    """
    found = np.zeros(len(words), np.int64)
    rows = np.empty(words.shape[1], np.int64)
    next_wide = next_single = at = 0
    for r in range(len(words)):
        own, m = words[r], 0
        here = present[r]
        for i in range(len(here)):
            if here[i]:
                own[m] = 0
                own[m, 0] = i
                rows[m] = i
                m += 1
        found[r] = m
        n_wide, n_single = plan[at], plan[at + 1]
        at += 2
        for p in range(next_wide, next_wide + n_wide):
            part, to = windows[p], plan[at]
            for k in range(m):
                for w in range(part.shape[1]):
                    own[k, to + w] = part[rows[k], w]
            at += 1
        for p in range(next_single, next_single + n_single):
            number, to = numbers[p], plan[at]
            for k in range(m):
                own[k, to] = number[rows[k]]
            at += 1
        next_wide += n_wide
        next_single += n_single
    return found


@Compiled
def _complete(
    cases: Cases,
    found: Int64,
    hundredths: Int64,
    latitude: Float64,
    longitude: Float64,
    names: Int64,
) -> None:
    """Write what the payment says, and what follows from what the state says.

    Args:
        cases: CASE[n_roles, n]: those of role r are the first `found[r]`.
        found: int64[n_roles].
        hundredths, latitude, longitude, names: of the n payments, as in `CASE`.
    """
    for r in range(len(found)):
        for k in range(found[r]):
            case = cases[r, k]
            i = case.row
            case.hundredths = hundredths[i]
            case.units = hundredths[i] / 100.0
            case.latitude = latitude[i]
            case.longitude = longitude[i]
            for t in range(len(case.names)):
                case.names[t] = names[i, t]
            for w in range(len(case.mean)):
                hundred = case.count[w] * 100.0
                mean = case.total[w] / hundred
                # Squares are rounded to hundredths each: what remains below is not a deviation.
                variance = case.squares[w] / hundred - mean * mean
                deviation = 0.0 if variance < 0.01 else np.sqrt(variance)
                case.mean[w] = mean
                case.deviation[w] = deviation if case.count[w] > 1 else np.nan
