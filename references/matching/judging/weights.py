"""Which references score a file, and how much each counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from references.matching.match import ModelMatch

CLOSE = 0.95
"""Share of the best match's similarity from which another one scores beside it."""

UNKNOWN_SKILL = 0.5
_LEAST_SKILL = 0.05
_LEAST_SIMILARITY = 1e-3
_SHARPNESS = 4


def skill(metrics: Mapping[str, float]) -> float:
    """Return how good a model is by its own test, in [0.05, 1]; 0.5 if it is unknown.

    It is twice the ROC-AUC less one, the Gini coefficient. Unlike average precision it does not
    depend on the share of fraud, which differs between references.
    """
    auc = metrics.get("roc_auc")
    if auc is None or not 0 <= auc <= 1:
        return UNKNOWN_SKILL
    return max(2 * auc - 1, _LEAST_SKILL)


def weighted(
    models: Sequence[ModelMatch],
    skills: Mapping[str, float],
    most: int,
    named: Collection[str] = (),
) -> tuple[ModelMatch, ...]:
    """Return the models that score, the largest weight first: those that the sender named, else
    the best that fit and those about as similar.

    A model of another source can fit and still rank a file far worse than the best match: only
    those within `CLOSE` of its similarity can add to it. A weight is proportional to skill and to
    the `_SHARPNESS`th power of similarity; the sum is 1.

    Args:
        models: the best first.
        skills: `ModelMatch.reference` -> its skill, > 0.
        most: models to choose, unless the sender named some.
        named: references that the sender named.
    """
    usable = [m for m in models if m.reference in named] if named else []
    usable = usable or _close([m for m in models if m.fits])[:most]
    best = max((_similarity(m) for m in usable), default=1.0)
    raw = [(_similarity(m) / best) ** _SHARPNESS * skills[m.reference] for m in usable]
    chosen = [replace(m, weight=r / sum(raw)) for m, r in zip(usable, raw, strict=True)]
    return tuple(sorted(chosen, key=lambda m: -m.weight))


def _close(models: Sequence[ModelMatch]) -> list[ModelMatch]:
    least = CLOSE * max((m.similarity for m in models), default=0.0)
    return [m for m in models if m.similarity >= least]


def _similarity(model: ModelMatch) -> float:
    return max(model.similarity, _LEAST_SIMILARITY)
