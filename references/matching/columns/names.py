"""How alike the names of columns are."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from data.guess.column_names import confidence, normalised
from data.guess.words import meanings, numbered

Float64 = NDArray[np.float64]

NEUTRAL = 0.5
"""Score of two names of which one at least says nothing: V1, feature_3."""

_FIELDS = (
    *("customer_id", "merchant_id", "counterparty_id", "merchant_category", "device_id"),
    *("ip_address", "country", "currency", "channel", "type", "amount", "timestamp"),
)
_SAME_FIELD = 0.7
_SPELLING = 0.7
_SURE = 4


def name_scores(left: Sequence[str], right: Sequence[str]) -> Float64:
    """Return float64[n, m] in [0, 1]: how alike n and m names are.

    1 is the same meaning. Names that say nothing score by their rank in their numbered family,
    around `NEUTRAL`: equal ones count less than distributions do. Of other names it is the best of
    three: shared meanings (weighted Jaccard), the same field of a payment, and spelling (Dice
    coefficient of trigrams).
    """
    words = _shared(*([dict(meanings(normalised(n))) for n in names] for names in (left, right)))
    fields = _SAME_FIELD * _shared(*([_fields(n) for n in names] for names in (left, right)))
    letters = _SPELLING * _dice([_trigrams(n) for n in left], [_trigrams(n) for n in right])
    scores = np.maximum.reduce([words, fields, letters])
    return _with_numbered(scores, left, right)


@lru_cache(maxsize=100_000)
def is_anonymous(name: str) -> bool:
    """Return whether a name says nothing about its column."""
    return numbered(normalised(name)) is not None or len(normalised(name)) <= 1


def _shared(left: list[dict[str, float]], right: list[dict[str, float]]) -> Float64:
    """Weighted Jaccard: weight of what two share over the weight of what either has."""
    a, b = _incidence(left, right)
    both = (a > 0) @ b.T  # a meaning weighs the same on both sides
    either = a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :] - both
    shared: Float64 = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
    return shared


def _dice(left: list[dict[str, float]], right: list[dict[str, float]]) -> Float64:
    a, b = _incidence(left, right)
    total = a.sum(axis=1)[:, None] + b.sum(axis=1)[None, :]
    none = np.zeros((len(a), len(b)))
    alike: Float64 = np.divide(2 * (a @ b.T), total, out=none, where=total > 0)
    return alike


def _incidence(
    left: list[dict[str, float]], right: list[dict[str, float]]
) -> tuple[Float64, Float64]:
    """float64[n, k] and float64[m, k]: weights of the k keys that occur on both sides, and in the
    last column the sum of the others, which differ on the two sides."""
    shared = sorted({key for one in left for key in one} & {key for one in right for key in one})
    at = {key: place for place, key in enumerate(shared)}
    return _weights(left, at, 0), _weights(right, at, 1)


def _weights(rows: list[dict[str, float]], at: dict[str, int], side: int) -> Float64:
    weights = np.zeros((len(rows), len(at) + 2))
    for row, one in enumerate(rows):
        for key, weight in one.items():
            weights[row, at.get(key, len(at) + side)] += weight
    return weights


@lru_cache(maxsize=100_000)
def _fields(name: str) -> dict[str, float]:
    sure = {f: confidence(f, name) for f in _FIELDS}
    return {f: 1.0 for f, points in sure.items() if points >= _SURE}


@lru_cache(maxsize=100_000)
def _trigrams(name: str) -> dict[str, float]:
    text = f"  {normalised(name).replace('_', ' ')} "
    return {text[i : i + 3]: 1.0 for i in range(len(text) - 2)}


def _with_numbered(scores: Float64, left: Sequence[str], right: Sequence[str]) -> Float64:
    """Replace the scores of names that say nothing."""
    silent = [np.array([is_anonymous(n) for n in names], np.bool_) for names in (left, right)]
    scores = np.where(np.logical_or.outer(silent[0], silent[1]), NEUTRAL, scores)
    ranks = [_ranks(left), _ranks(right)]
    for i, (stem, rank, size) in ranks[0].items():
        for j, (other, their_rank, their_size) in ranks[1].items():
            if rank == their_rank and (stem == other or size == their_size):
                scores[i, j] = 1.0
    return scores


def _ranks(names: Sequence[str]) -> dict[int, tuple[str, int, int]]:
    """Place -> stem of its family, rank of its number in the family, size of the family."""
    families: dict[str, list[tuple[int, int]]] = {}
    for place, name in enumerate(names):
        if (found := numbered(normalised(name))) is not None:
            families.setdefault(found[0], []).append((found[1], place))
    return {
        place: (stem, rank, len(members))
        for stem, members in families.items()
        for rank, (_, place) in enumerate(sorted(members))
    }
