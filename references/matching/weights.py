"""Which references score a file, and how much each counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from references.matching.match import ModelMatch

UNKNOWN_SKILL = 0.5
_LEAST_SKILL = 0.05
_LEAST_SIMILARITY = 1e-3


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
    the best that fit. A weight is proportional to similarity times skill; the sum is 1.

    Args:
        models: the best first.
        skills: `ModelMatch.reference` -> its skill, > 0.
        most: models to choose, unless the sender named some.
        named: references that the sender named.
    """
    usable = [m for m in models if m.reference in named] if named else []
    usable = usable or [m for m in models if m.fits][:most]
    raw = [max(m.similarity, _LEAST_SIMILARITY) * skills[m.reference] for m in usable]
    chosen = [replace(m, weight=r / sum(raw)) for m, r in zip(usable, raw, strict=True)]
    return tuple(sorted(chosen, key=lambda m: -m.weight))
