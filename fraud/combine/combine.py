"""From votes to a decision: deterministic, so that a record can be recomputed years later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fraud.combine.calibrate import Calibration
from fraud.combine.thresholds import REVIEW, Int8, outcome_of_row, outcomes
from fraud.decision import Vote
from fraud.ensemble import Ensemble, Member
from fraud.methods.interface import CombiningMethod
from fraud.methods.mean import has_gaps
from fraud.methods.rank import rank_of
from fraud.payment.batch import Float64

RULES_ONLY = "rules_only"
"""Degraded reason: no supervised variant voted on the row, or a required one did not, so rules
decided it."""


@dataclass(frozen=True, slots=True)
class Combined:
    """The combined votes on n rows.

    Attributes:
        probability: float64[n] in [0, 1]; NaN where the votes do not suffice and no rules were
            given.
        anomaly: float64[n] in [0, 1]; NaN where the anomaly variant did not answer.
        outcome: int8[n], index into `fraud.decision.OUTCOMES`.
        degraded: for each row what was asked for and not got, in the order in which it was asked,
            () if nothing is missing: `variant_<status>:<name>`, `variant_partial:<name>` (the
            variant answered without a number for this row), `rules_only`.
    """

    probability: Float64
    anomaly: Float64
    outcome: Int8
    degraded: list[tuple[str, ...]]


def combine(
    ensemble: Ensemble,
    votes: Sequence[Vote],
    n: int,
    rules: Float64 | None = None,
    asked: Sequence[str] | None = None,
) -> Combined:
    """Combine the votes of n rows under an ensemble. The order of `votes` does not matter.

    Args:
        ensemble: weights, calibration and thresholds.
        votes: at most one of each variant, `scores` float64[n] if `ok`; those of other variants
            than `asked` are ignored.
        n: number of rows.
        rules: float64[n]: probabilities for rows whose votes do not suffice, see `FiredRules`. Such
            a row is sent to review at most, never blocked. Without rules it has probability NaN and
            is approved unless its anomaly score says otherwise. Either way it is degraded by
            `rules_only`.
        asked: the variants that were asked about the rows, if earlier stages of a cascade asked
            more than the ensemble's.
    """
    by_name = {vote.variant: vote for vote in votes}
    derived = _derived(ensemble)
    if asked is None:
        asked = derived.variants
    if n == 1 and len(asked) == len(derived.variants):
        row = _combine_row(ensemble, derived, by_name)
        if row is not None:
            return row
    probability = _probability(ensemble, derived, by_name, n)
    anomaly = _anomaly(ensemble, by_name, n)
    unvoted = np.isnan(probability) if has_gaps(probability) else None
    degraded = _degraded(asked, by_name, unvoted, n)

    if unvoted is None:
        outcome = outcomes(ensemble.thresholds, probability, anomaly)
        return Combined(probability, anomaly, outcome, degraded)
    if rules is not None:
        probability = np.where(unvoted, rules, probability)
    outcome = outcomes(ensemble.thresholds, probability, anomaly)
    outcome = np.where(unvoted, np.minimum(outcome, REVIEW), outcome).astype(np.int8)
    return Combined(probability, anomaly, outcome, degraded)


def probability_of_votes(ensemble: Ensemble, votes: Sequence[Vote], n: int) -> Float64:
    """Return what `combine` returns as probability, without rules: float64[n]."""
    by_name = {vote.variant: vote for vote in votes}
    return _probability(ensemble, _derived(ensemble), by_name, n)


def probability_of(ensemble: Ensemble, scores: Mapping[str, Float64], n: int) -> Float64:
    """Combine the members' scores by the ensemble's method and calibrate the result.

    A row that lacks some members' scores is calibrated for the others' alone, if the ensemble has
    such a calibration.

    Args:
        scores: variant -> float64[n] in [0, 1], NaN where it has none. Members that did not
            answer are absent.
        n: number of rows.

    Returns:
        float64[n] in [0, 1]; NaN where no member voted, or a required one did not.
    """
    return _calibrated(ensemble, _derived(ensemble), scores, n)


def _calibrated(
    ensemble: Ensemble, derived: _Derived, scores: Mapping[str, Float64], n: int
) -> Float64:
    """See `probability_of`."""
    score = combined(ensemble.method, ensemble.members, scores, n)
    probability = derived.calibration(score)
    if derived.subsets:
        probability = _calibrate_subsets(derived, scores, score, probability)
    for member in derived.required:
        if member.variant not in scores:
            return np.full(n, np.nan)
        if has_gaps(scores[member.variant]):
            probability = np.where(np.isnan(scores[member.variant]), np.nan, probability)
    return probability


def combined(
    method: CombiningMethod, members: Sequence[Member], scores: Mapping[str, Float64], n: int
) -> Float64:
    """Return the members' combined scores before calibration: float64[n], NaN where none voted.

    Args:
        scores: see `probability_of`.
    """
    cast = [m for m in members if m.variant in scores]
    votes = [scores[m.variant] for m in cast]
    if method.uses_ranks:
        votes = [rank_of(vote, m.ranks) for m, vote in zip(cast, votes, strict=True)]
    total = sum([m.weight for m in members])
    return method.combine(votes, [m.weight for m in cast], total, n)


def needs_rules(ensemble: Ensemble, votes: Sequence[Vote], n: int) -> bool:
    """Return whether a row's votes do not suffice, so that `combine` needs rules."""
    derived = _derived(ensemble)
    members = derived.weight_of
    cast = {v.variant: v.scores for v in votes if v.scores is not None and v.variant in members}
    if any(m.variant not in cast or has_gaps(cast[m.variant]) for m in derived.required):
        return n > 0
    if any(not has_gaps(scores) for scores in cast.values()):
        return False
    unvoted = np.ones(n, dtype=bool)
    for scores in cast.values():
        unvoted &= np.isnan(scores)
    return bool(unvoted.any())


def _probability(
    ensemble: Ensemble, derived: _Derived, by_name: Mapping[str, Vote], n: int
) -> Float64:
    cast = [(m.variant, by_name.get(m.variant)) for m in ensemble.members]
    answered = {name: v.scores for name, v in cast if v is not None and v.scores is not None}
    return _calibrated(ensemble, derived, answered, n)


def _calibrate_subsets(
    derived: _Derived, scores: Mapping[str, Float64], score: Float64, probability: Float64
) -> Float64:
    """Return the probability with that of rows on which only some members voted replaced, where
    there is a calibration for these."""
    cast = [name for name in derived.weight_of if name in scores]
    gaps = {name: np.isnan(scores[name]) for name in cast if has_gaps(scores[name])}
    if not cast or (len(cast) == len(derived.weight_of) and not gaps):
        return probability
    subsets = derived.subsets
    if not gaps:
        calibration = subsets.get(tuple(sorted(cast)))
        return probability if calibration is None else calibration(score)
    # Rows that lack the same members have the same code.
    code = np.zeros(len(score), dtype=np.int64)
    for place, rows in enumerate(gaps.values()):
        code += rows.astype(np.int64) << place
    # A copy: without a calibration, and with one vote, it may be the member's own scores.
    probability = probability.copy()
    for lacking in np.unique(code).tolist():
        without = {name for place, name in enumerate(gaps) if lacking >> place & 1}
        calibration = subsets.get(tuple(sorted(set(cast) - without)))
        if calibration is not None:
            rows = code == lacking
            probability[rows] = calibration(score[rows])
    return probability


def _combine_row(
    ensemble: Ensemble, derived: _Derived, by_name: Mapping[str, Vote]
) -> Combined | None:
    """Combine the votes on a single row; None if one is missing."""
    scores = []
    for name in derived.variants:
        vote = by_name.get(name)
        if vote is None or vote.scores is None:
            return None
        value = vote.scores.item()
        if value != value:
            return None
        scores.append(value)
    anomaly = np.nan if ensemble.anomaly is None else scores.pop()
    if ensemble.method.uses_ranks:
        scores = [
            rank_of(np.array([s]), m.ranks).item()
            for m, s in zip(ensemble.members, scores, strict=True)
        ]
    score = ensemble.method.combine_row(scores, derived.weights)
    probability = derived.calibration(np.array([score]))
    outcome = outcome_of_row(ensemble.thresholds, probability.item(), anomaly)
    return Combined(probability, np.array([anomaly]), np.array([outcome], dtype=np.int8), [()])


@dataclass(frozen=True, slots=True)
class _Derived:
    """Values that an ensemble determines, computed once."""

    variants: tuple[str, ...]
    weights: tuple[float, ...]
    weight_of: dict[str, float]
    calibration: Calibration
    subsets: dict[tuple[str, ...], Calibration]
    required: tuple[Member, ...]


@lru_cache(maxsize=256)
def _derived(ensemble: Ensemble) -> _Derived:
    weights = tuple(m.weight for m in ensemble.members)
    return _Derived(
        ensemble.variants,
        weights,
        dict(zip(ensemble.voters, weights, strict=True)),
        Calibration(ensemble.calibration),
        {subset.variants: Calibration(subset.calibration) for subset in ensemble.subsets},
        tuple(m for m in ensemble.members if m.required),
    )


def _anomaly(ensemble: Ensemble, by_name: dict[str, Vote], n: int) -> Float64:
    vote = None if ensemble.anomaly is None else by_name.get(ensemble.anomaly)
    if vote is None or vote.scores is None:
        return np.full(n, np.nan)
    return vote.scores


def _degraded(
    asked: Sequence[str], by_name: dict[str, Vote], unvoted: NDArray[np.bool_] | None, n: int
) -> list[tuple[str, ...]]:
    """`Combined.degraded`. Rows that lack the same share a tuple."""
    missing: list[tuple[str, NDArray[np.bool_] | None]] = []  # None: for all rows
    for name in asked:
        vote = by_name.get(name)
        if vote is None:
            missing.append((f"variant_missing:{name}", None))
        elif vote.scores is None:
            missing.append((f"variant_{vote.status}:{name}", None))
        elif has_gaps(vote.scores):
            missing.append((f"variant_partial:{name}", np.isnan(vote.scores)))
    if unvoted is not None:
        missing.append((RULES_ONLY, unvoted))
    if all(rows is None for _, rows in missing):
        return [tuple(reason for reason, _ in missing)] * n
    every = np.ones(n, dtype=bool)
    of_rows = np.stack([every if rows is None else rows for _, rows in missing], axis=1)
    known: dict[bytes, tuple[str, ...]] = {}
    for which in of_rows:
        if which.tobytes() not in known:
            held = zip(missing, which, strict=True)
            known[which.tobytes()] = tuple(reason for (reason, _), holds in held if holds)
    return [known[which.tobytes()] for which in of_rows]
