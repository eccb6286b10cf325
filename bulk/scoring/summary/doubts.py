"""What speaks against trusting a result, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.drift import LARGE

FAR_ABOVE = 5.0
"""A mean score this many times a model's own rate of fraud is doubted, if it is also more than
`_LEAST_EXCESS` above that rate."""

LITTLE_AGREEMENT = 0.2
"""Share of their riskiest rows below which two models do not see the same fraud."""

_LEAST_EXCESS = 0.05
_NAMED_COLUMNS = 5


def doubts(models: Sequence[dict[str, Any]], drift: Sequence[dict[str, Any]]) -> list[str]:
    """Return a sentence for each thing that makes the scores of a file doubtful.

    Args:
        models: see `model_table`.
        drift: see `drift_table`, of all models.
    """
    return [*_far_above(models), *_disagreeing(models), *_moved(drift)]


def _far_above(models: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"{model['reference']} scores {model['mean']:.1%} on average, but saw {rate:.2%} fraud in"
        " training: its probabilities may not carry over to this file"
        for model in models
        if model["mean"] is not None
        and (rate := model["training_rate"]) is not None
        and model["mean"] > max(FAR_ABOVE * rate, rate + _LEAST_EXCESS)
    ]


def _disagreeing(models: Sequence[dict[str, Any]]) -> list[str]:
    found = []
    for i, model in enumerate(models):
        for other in models[:i]:
            share = model["agreement"].get(other["reference"])
            if share is not None and share < LITTLE_AGREEMENT:
                found.append(
                    f"{other['reference']} and {model['reference']} share only {share:.0%} of"
                    " their riskiest rows: they do not see the same fraud"
                )
    return found


def _moved(drift: Sequence[dict[str, Any]]) -> list[str]:
    moved = sorted(
        {str(one["file_column"]) for one in drift if one["psi"] is not None and one["psi"] > LARGE}
    )
    if not moved:
        return []
    named = ", ".join(moved[:_NAMED_COLUMNS])
    more = f" and {len(moved) - _NAMED_COLUMNS} more" if len(moved) > _NAMED_COLUMNS else ""
    return [f"these columns are spread otherwise than in training: {named}{more}"]
