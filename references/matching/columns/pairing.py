"""Columns of a file to columns of a reference, one to one.

Each pair scores by its names and by its distributions. The assignment with the largest sum is
found by the Hungarian algorithm (Kuhn, 1955; `scipy.optimize.linear_sum_assignment`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from data.guess.column_names import normalised
from data.guess.words import meanings
from references.matching.columns.distribution import distribution_scores, quantiles_of
from references.matching.columns.names import NEUTRAL, is_anonymous, name_scores
from references.matching.columns.units import (
    FAR,
    closeness_after,
    confirmed,
    proposed,
    with_proposal,
)
from references.matching.match import ColumnMatch, Conversion
from references.profile.column import ColumnKind, ColumnProfile
from references.reference import ReferenceColumn

Float64 = NDArray[np.float64]

NAME_WEIGHT = 0.4
"""Weight of names in a pair's score; the rest is the distributions'."""

NAMED = 0.5
"""From this name score on, a pair is a candidate whatever its distributions."""
SAME_NAME = 0.75
"""From this name score on, a pair is one even if its kinds differ: its type is wrong."""
_RELATED = 0.3
"""From this name score on, a pair may have different units."""
_ALIKE_CONVERTED = 0.8
_CONVERTED_COUNTS = 0.9
"""A pair of another unit counts a little less than one of the same."""
_ALIKE_UNNAMED = 0.7
_ALIKE_OTHER_NAME = 0.85
_CLOCK = frozenset(("time", "step", "day", "hour", "minute", "second", "month", "year", "week"))
_TIME_CLOSENESS = 0.7
_WISHED = 10.0
"""Score of a pair that the sender named: more than all others could gain."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the sender said about columns.

    Attributes:
        columns: column of the file -> column of the reference; "" leaves it out.
        convert: column of the file -> code of a conversion.
    """

    columns: Mapping[str, str]
    convert: Mapping[str, str]


def pair_columns(
    file: Sequence[ColumnProfile], reference: Sequence[ReferenceColumn], wishes: Wishes
) -> tuple[ColumnMatch, ...]:
    """Return the counterpart of each column of the reference, in the reference's order.

    The order of the file's columns changes nothing.
    """
    ours = sorted((p for p in file if p.kind is not ColumnKind.EMPTY), key=lambda p: p.name)
    theirs = sorted(reference, key=lambda c: c.name)
    if not ours:
        return tuple(column_match(column, None) for column in reference)
    names = name_scores([p.name for p in ours], [c.name for c in theirs])
    alike = distribution_scores(ours, [c.profile for c in theirs])
    conversions = _with_units(ours, theirs, names, alike)
    score = _scores(ours, theirs, names, alike, conversions)
    _wish(score, ours, theirs, wishes.columns)
    found: dict[str, ColumnMatch] = {}
    for i, j in zip(*linear_sum_assignment(-score), strict=True):
        if score[i, j] > 0:
            found[theirs[j].name] = _paired(
                ours[i],
                theirs[j],
                float(names[i, j]),
                float(np.nan_to_num(alike[i, j], nan=0.0)),
                conversions.get((i, j)),
                wishes.convert,
            )
    return tuple(found.get(c.name) or column_match(c, None) for c in reference)


def _with_units(
    ours: list[ColumnProfile], theirs: list[ReferenceColumn], names: Float64, alike: Float64
) -> dict[tuple[int, int], tuple[Conversion, float]]:
    """(i, j) -> proposed conversion and closeness after it; times get their closeness in place."""
    found: dict[tuple[int, int], tuple[Conversion, float]] = {}
    far = ~(alike >= FAR) & (names >= _RELATED)
    for i, j in np.argwhere(far).tolist():
        if is_anonymous(ours[i].name) or is_anonymous(theirs[j].name):
            continue
        conversion, closeness = proposed(ours[i], theirs[j].profile)
        if conversion is not None:
            found[i, j] = conversion, closeness
    clocks = [np.array([_is_clock(name) for name in side]) for side in _names(ours, theirs)]
    both = np.outer(clocks[0], clocks[1]) & (names >= NAMED) & ~np.isnan(alike)
    alike[both] = np.maximum(alike[both], _TIME_CLOSENESS)
    return found


def _scores(
    ours: list[ColumnProfile],
    theirs: list[ReferenceColumn],
    names: Float64,
    alike: Float64,
    conversions: Mapping[tuple[int, int], tuple[Conversion, float]],
) -> Float64:
    """float64[n, m]: 0 where a pair is out of the question."""
    best = np.nan_to_num(alike, nan=0.0)
    scaled = np.zeros_like(best)
    for place, (_, closeness) in conversions.items():
        scaled[place] = closeness
    best = np.maximum(best, _CONVERTED_COUNTS * scaled)
    silent = [np.array([is_anonymous(n) for n in side]) for side in _names(ours, theirs)]
    neutral = np.logical_or.outer(silent[0], silent[1]) & (names <= NEUTRAL)
    allowed = np.where(neutral, best >= _ALIKE_UNNAMED, (names >= NAMED) & (best > 0))
    allowed |= (names >= SAME_NAME) | (best >= _ALIKE_OTHER_NAME) | (scaled >= _ALIKE_CONVERTED)
    score: Float64 = np.where(allowed, NAME_WEIGHT * names + (1 - NAME_WEIGHT) * best, 0.0)
    return score


def _wish(
    score: Float64,
    ours: list[ColumnProfile],
    theirs: list[ReferenceColumn],
    columns: Mapping[str, str],
) -> None:
    """Force the pairs that the sender named, and bar what these exclude. No two columns have the
    same counterpart."""
    places = {column.name: j for j, column in enumerate(theirs)}
    for i, profile in enumerate(ours):
        target = columns.get(profile.name)
        if target == "" or target in places:
            score[i, :] = 0.0
        if target in places:
            score[:, places[target]] = 0.0
            score[i, places[target]] = _WISHED


def _paired(
    file: ColumnProfile,
    column: ReferenceColumn,
    name: float,
    closeness: float,
    unit: tuple[Conversion, float] | None,
    convert: Mapping[str, str],
) -> ColumnMatch:
    conversion = confirmed(file, convert)
    if conversion is not None:
        after = _after(file, column.profile, conversion, unit)
        if after >= closeness:
            return replace(column_match(column, file.name, name, after), applied=conversion)
    found = column_match(column, file.name, name, closeness)
    if unit is not None:
        return with_proposal(found, unit[0])
    return replace(found, note=_note(file, column, name, closeness))


def _after(
    file: ColumnProfile,
    reference: ColumnProfile,
    conversion: Conversion,
    unit: tuple[Conversion, float] | None,
) -> float:
    if unit is not None and unit[0].code == conversion.code:
        return unit[1]
    if quantiles_of(file) and quantiles_of(reference):
        return closeness_after(file, reference, conversion.factor)
    return 0.0


def column_match(
    column: ReferenceColumn, file_column: str | None, name: float = 0.0, closeness: float = 0.0
) -> ColumnMatch:
    """Return the match of a column of the reference.

    Args:
        file_column: its counterpart; None if there is none.
        name, closeness: how alike names and distributions are, in [0, 1].
    """
    score = NAME_WEIGHT * name + (1 - NAME_WEIGHT) * closeness
    return ColumnMatch(
        column=column.name,
        file_column=file_column,
        score=score if file_column is not None else 0.0,
        name_score=name,
        distribution_score=closeness,
        importance=column.importance,
        required=column.required,
    )


def _note(file: ColumnProfile, column: ReferenceColumn, name: float, closeness: float) -> str:
    if file.kind is not column.profile.kind and closeness == 0:
        return f"the file holds a {file.kind.value}, the reference a {column.profile.kind.value}"
    if name < NAMED:
        return "matched by its values; the names have nothing in common"
    return "the values differ much" if closeness < FAR else ""


def _names(ours: list[ColumnProfile], theirs: list[ReferenceColumn]) -> tuple[list[str], list[str]]:
    return [p.name for p in ours], [c.name for c in theirs]


def _is_clock(name: str) -> bool:
    return any(meaning in _CLOCK for meaning, _ in meanings(normalised(name)))
