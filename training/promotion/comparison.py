"""Two models side by side on the newest labelled weeks."""

from __future__ import annotations

from typing import Any

from fraud.errors import ArtifactRefused, NotTrainable
from training.metrics.paired import paired_difference
from training.promotion.assessment import Assessor
from training.promotion.contestants import Contestant
from training.promotion.recent_weeks import fitted_until_ms, read_ground


def compare(a: Contestant, b: Contestant, assessor: Assessor) -> dict[str, Any]:
    """Figures of both on payments that neither has learnt from, and by how much a is better.

    Returns:
        `a` and `b` with `variant`, `version` and `figures`; `ground`: the payments; `difference`:
        of average precision, a less b, with `low` and `high` of its paired 95 % interval.

    Raises:
        ArtifactRefused: one of them would not serve.
        NotTrainable: too little that is labelled.
    """
    for side in (a, b):
        if side.refused is not None:
            raise ArtifactRefused(side.refused)
    ends = [fitted_until_ms(side.manifest) for side in (a, b)]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        raise NotTrainable("a manifest does not say which payments its model has learnt from")
    config = assessor.config
    ground = read_ground(
        assessor.settings, config.weeks, max(known), config.min_frauds, assessor.progress
    )
    scores = {name: side.scores(ground) for name, side in (("a", a), ("b", b))}
    found = paired_difference(
        scores["a"],
        scores["b"],
        ground.fraud,
        ground.cluster,
        resamples=config.resamples,
        seed=config.seed,
    )
    sides = {
        name: {
            "variant": side.variant,
            "version": side.version,
            "figures": ground.figures(scores[name], side.is_probability),
        }
        for name, side in (("a", a), ("b", b))
    }
    difference = {"metric": "average_precision", **found._asdict()}
    return {**sides, "ground": ground.document(), "difference": difference}
