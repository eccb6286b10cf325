"""Comparing two models on the newest labelled weeks."""

from __future__ import annotations

from typing import Any

from fraud.errors import ArtifactRefused
from training.metrics.paired import paired_difference
from training.promotion.assessment import Assessor
from training.promotion.loaded_model import LoadedModel


def compare(a: LoadedModel, b: LoadedModel, assessor: Assessor) -> dict[str, Any]:
    """Measure two models on payments that neither has learnt from.

    Returns:
        `a` and `b`, each with `variant`, `version` and `figures`; `ground`, the payments; and
        `difference`: average precision of a less that of b, with `low` and `high` of its paired
        95 % interval.

    Raises:
        ArtifactRefused: one of the two would not serve.
        NotTrainable: too few labelled payments.
    """
    for side in (a, b):
        if side.refused is not None:
            raise ArtifactRefused(side.refused)
    recent = assessor.recent_payments((a, b))
    scores = {name: side.scores(recent) for name, side in (("a", a), ("b", b))}
    found = paired_difference(
        scores["a"],
        scores["b"],
        recent.fraud,
        recent.cluster,
        resamples=assessor.config.resamples,
        seed=assessor.config.seed,
    )
    sides = {
        name: {
            "variant": side.variant,
            "version": side.version,
            "figures": recent.figures(scores[name], side.is_probability),
        }
        for name, side in (("a", a), ("b", b))
    }
    difference = {"metric": "average_precision", **found._asdict()}
    return {**sides, "ground": recent.document(), "difference": difference}
