"""Publishing what a run has fitted."""

from __future__ import annotations

from typing import Any

from fraud.record import CODE_VERSION
from training.evaluate.results import RunResults
from training.libraries import library_versions
from training.registry.publish import Destination, Published, publish
from training.run import RECIPE


def publish_run(results: RunResults, to: Destination, recipe: str) -> Published:
    """Publish the models and the plan of a run, with what they were trained on.

    Args:
        recipe: see `training.run.Run`.

    Raises:
        Busy, OtherTenant: see `publish`.
    """
    fitted_run = results.fitted_run
    rows, frauds = fitted_run.split.counts(fitted_run.dataset.label)
    training: dict[str, Any] = {
        "tenant": to.tags["tenant"],
        "seed": fitted_run.config.seed,
        "window": fitted_run.split.bounds.window(),
        "rows": rows,
        "frauds": frauds,
        "shared_calibration": fitted_run.split.shared,
        "code": CODE_VERSION,
        "libraries": library_versions(),
        **({RECIPE: recipe} if recipe else {}),
    }
    return publish(
        fitted_run.models,
        fitted_run.plan_fit.plan,
        schema=fitted_run.dataset.schema,
        training=training,
        ensemble=fitted_run.plan_fit.metrics,
        to=to,
        results=results,
    )
