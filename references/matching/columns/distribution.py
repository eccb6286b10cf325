"""How alike the distributions of columns are, from their profiles alone.

Numbers: one minus the Kolmogorov-Smirnov distance of the two distributions, which their 21
quantiles give to about 0.05, times the root of the ratio of their spreads, because that distance
hardly sees the scale of two numbers around zero. Neither has a unit, and outliers move neither.
Categories: the overlap of their shares, one minus the total variation distance.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from references.profile.column import QUANTILES, ColumnKind, ColumnProfile

Float64 = NDArray[np.float64]

LEVELS = np.linspace(0, 1, QUANTILES)

_NAMES = (ColumnKind.IDENTIFIER, ColumnKind.TEXT)
_MIXED = {frozenset((ColumnKind.CATEGORY, kind)): 0.3 for kind in _NAMES} | {frozenset(_NAMES): 0.5}
"""What kinds may stand for each other where texts are few or many: score without a comparison."""


def distribution_scores(left: Sequence[ColumnProfile], right: Sequence[ColumnProfile]) -> Float64:
    """Return float64[n, m] in [0, 1]: how alike n and m distributions are; NaN where the kinds
    cannot be compared, such as a number and an id."""
    scores = np.full((len(left), len(right)), np.nan)
    _fill_numbers(scores, left, right)
    _fill_categories(scores, left, right)
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            if math.isnan(scores[i, j]):
                scores[i, j] = _other(one, other)
    return scores


def number_closeness(left: Float64, right: Float64) -> Float64:
    """Return float64[n, m] in [0, 1]: one minus the Kolmogorov-Smirnov distance, times the root of
    the smaller over the larger spread.

    Args:
        left, right: float64[n, 21] and float64[m, 21]: quantiles.
    """
    if not len(left) or not len(right):
        return np.zeros((len(left), len(right)))
    here = _gaps(left, right)
    there = _gaps(right, left).T
    closest: Float64 = (1 - np.maximum(here, there)) * np.sqrt(_spread_ratios(left, right))
    return closest


def _spread_ratios(left: Float64, right: Float64) -> Float64:
    """float64[n, m] in (0, 1]: ratios of the ranges between the 5 % and the 95 % quantiles; 1 where
    one of them is 0, since nearly all of its values are equal."""
    ours, theirs = (side[:, -2] - side[:, 1] for side in (left, right))
    larger = np.maximum(ours[:, None], theirs[None, :])
    smaller = np.minimum(ours[:, None], theirs[None, :])
    ratios: Float64 = np.divide(smaller, larger, out=np.ones_like(larger), where=smaller > 0)
    return ratios


def quantiles_of(profile: ColumnProfile) -> tuple[float, ...]:
    """Return the quantiles of a number, or of a category whose texts are numbers; () of others."""
    if profile.kind is ColumnKind.NUMBER or (profile.whole and profile.quantiles):
        return profile.quantiles
    if profile.kind is not ColumnKind.CATEGORY or not profile.categories:
        return ()
    try:
        known = sorted((float(text), share) for text, share in profile.categories)
    except ValueError:
        return ()
    if not all(math.isfinite(value) for value, _ in known):
        return ()
    reached = np.cumsum([share for _, share in known])
    places = np.searchsorted(reached, LEVELS * reached[-1])
    return tuple(known[min(place, len(known) - 1)][0] for place in places.tolist())


def _gaps(left: Float64, right: Float64) -> Float64:
    """float64[n, m]: the largest gap between two distribution functions at the points of left.

    Ties have the middle of their ranks, so that many equal values are no gap.
    """
    own = np.array([_ranks(one, one) for one in left])
    found = np.array([_ranks(other, left.ravel()).reshape(left.shape) for other in right])
    gaps: Float64 = np.abs(found - own[None, :, :]).max(axis=2).T
    return gaps


def _ranks(quantiles: Float64, points: Float64) -> Float64:
    """float64[k] in [0, 1]: the distribution function at points, linear between quantiles."""
    low = np.searchsorted(quantiles, points, "left")
    high = np.searchsorted(quantiles, points, "right")
    last = len(quantiles) - 1
    above = quantiles[np.minimum(low, last)]
    below = quantiles[np.maximum(low - 1, 0)]
    width = above - below
    part = np.divide(points - below, width, out=np.zeros_like(points), where=width > 0)
    between = np.clip(low - 1 + part, 0, last)
    rank: Float64 = np.where(high > low, (low + high - 1) / 2, between) / last
    return rank


def _fill_numbers(
    scores: Float64, left: Sequence[ColumnProfile], right: Sequence[ColumnProfile]
) -> None:
    rows, cols = (
        [(i, q) for i, p in enumerate(s) if (q := quantiles_of(p))] for s in (left, right)
    )
    if not rows or not cols:
        return
    values = number_closeness(np.array([q for _, q in rows]), np.array([q for _, q in cols]))
    scores[np.ix_([i for i, _ in rows], [j for j, _ in cols])] = values


def _fill_categories(
    scores: Float64, left: Sequence[ColumnProfile], right: Sequence[ColumnProfile]
) -> None:
    shares = [[_shares(p) for p in side] for side in (left, right)]
    for i, one in enumerate(shares[0]):
        for j, other in enumerate(shares[1]):
            if one and other:
                scores[i, j] = sum(min(share, other.get(text, 0.0)) for text, share in one.items())


def _shares(profile: ColumnProfile) -> dict[str, float]:
    """Shares of categories, whatever their upper and lower case; they sum to 1 even if only the
    most frequent are known."""
    if profile.kind is not ColumnKind.CATEGORY:
        return {}
    total = sum(share for _, share in profile.categories)
    shares: dict[str, float] = {}
    for text, share in profile.categories:
        fold = text.casefold()
        shares[fold] = shares.get(fold, 0.0) + share / total
    return shares


def _other(one: ColumnProfile, other: ColumnProfile) -> float:
    kinds = frozenset((one.kind, other.kind))
    if kinds == {ColumnKind.TIME}:
        return _times(one, other)
    if kinds == {ColumnKind.IDENTIFIER}:
        return _identifiers(one, other)
    if kinds == {ColumnKind.TEXT}:
        return 0.5
    return _MIXED.get(kinds, math.nan)


def _times(one: ColumnProfile, other: ColumnProfile) -> float:
    """Another period is no difference; a period of another length and another format are small
    ones."""
    spans = [_seconds(p) for p in (one, other)]
    ratio = abs(math.log(max(spans[0], 1.0) / max(spans[1], 1.0)))
    same = 1.0 if (one.time_format == "iso") == (other.time_format == "iso") else 0.9
    return same * (0.7 + 0.3 * math.exp(-ratio / 3))


def _seconds(profile: ColumnProfile) -> float:
    """Length of the period that a time covers."""
    if not profile.quantiles:
        return 0.0
    unit = {"epoch_ms": 1e-3, "hours": 3600.0, "days": 86_400.0}.get(profile.time_format, 1.0)
    return (profile.quantiles[-1] - profile.quantiles[0]) * unit


def _identifiers(one: ColumnProfile, other: ColumnProfile) -> float:
    """Shapes of the texts, and how often one occurs again."""
    shape = 1.0 if one.pattern == other.pattern else _alike(one.pattern, other.pattern)
    again = [p.distinct / p.filled if p.filled else 0.0 for p in (one, other)]
    return 0.6 * shape + 0.4 * (1 - abs(again[0] - again[1]))


def _alike(one: str, other: str) -> float:
    """Overlap of the signs of two patterns, repetitions left out."""
    a, b = (Counter("".join(c for c in text if c in "A1_-.@:/ ")) for text in (one, other))
    either = sum((a | b).values())
    return 0.8 * sum((a & b).values()) / either if either else 0.0
