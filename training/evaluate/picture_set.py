"""The set of pictures of a training run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from training.evaluate.evaluation import Evaluation
from training.evaluate.pictures import (
    bars,
    palette,
    partial_effect,
    precision_recall,
    reliability_diagram,
    roc,
    score_distribution,
    weekly,
)
from training.fit.scores import ENSEMBLE

_BARS = 15


def colours_of(evaluation: Evaluation) -> dict[str, str]:
    """A colour for each model, the same in all pictures."""
    return palette(list(evaluation.models), ENSEMBLE)


def draw_pictures(
    evaluation: Evaluation, feature_names: Sequence[str], thresholds: Mapping[str, float]
) -> dict[str, str]:
    """Draw all pictures of a run: name -> SVG.

    Args:
        feature_names: the names of the columns.
        thresholds: outcome -> its threshold in the plan.
    """
    colours = colours_of(evaluation)
    # The ensemble first: it leads the legend and lies on top.
    ranked = [ENSEMBLE, *(name for name in evaluation.models if name != ENSEMBLE)]
    curves = {name: evaluation.curves[name] for name in ranked}
    probable = {
        n: evaluation.calibration_bins[n] for n in ranked if n in evaluation.calibration_bins
    }
    drawn = {
        "precision-recall": precision_recall(curves, colours),
        "roc": roc(curves, colours),
        "scores": score_distribution(evaluation.probability, evaluation.fraud, thresholds),
        "reliability": reliability_diagram(probable, colours),
    }
    if len(evaluation.weeks) > 1:
        drawn["weekly"] = weekly(evaluation.weeks, ranked, colours)
    explanation = evaluation.explanation
    if explanation is None:
        return drawn
    if explanation.drops:
        top = explanation.drops[:_BARS]
        names = [feature_names[drop.column] for drop in top]
        means = [drop.mean for drop in top]
        drawn["importance"] = bars(names, means, "loss of average precision", "importance")
    if explanation.boosted is not None:
        added = explanation.boosted.contribution
        order = np.argsort(-added, kind="stable")[:_BARS]
        names = [feature_names[int(column)] for column in order]
        drawn["contribution"] = bars(
            names, added[order].tolist(), "mean absolute log-odds", "contribution"
        )
    for found in explanation.effects:
        name = feature_names[found.column]
        drawn[effect_name(name)] = partial_effect(found, name)
    return drawn


def effect_name(feature: str) -> str:
    """The name of the picture of a feature's effect."""
    return f"effect-{''.join(c if c.isalnum() else '-' for c in feature)}"
