"""Making a training run count: registry, artifacts, aliases, plan. In that order, so that a run
that is killed on the way leaves nothing that anybody would load."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraud.plan import Plan
from training.artifacts import place, point_alias, staging, write_artifact
from training.judge import Judged
from training.registry import Registry
from training.schema import FeatureSchema


@dataclass(frozen=True, slots=True)
class Published:
    """Digest and MLflow version number of each variant, and the plan as it was stored."""

    digests: dict[str, str]
    versions: dict[str, str]
    plan: Plan


def publish(
    judged: dict[str, Judged],
    plan: Plan,
    *,
    schema: FeatureSchema,
    training: dict[str, Any],
    ensemble: dict[str, float],
    root: Path,
    registry: Registry,
    role: str,
    activate: Callable[[Plan], Plan] | None,
) -> Published:
    """Write and register everything.

    Args:
        schema: the columns that the models see.
        training: `Manifest.training` that all variants share.
        ensemble: figures of the plan.
        root: of the artifacts.
        role: the alias that the models get, here and in the registry.
        activate: stores the plan as the active one, the very last step; None: the plan that
            serves goes on.
    """
    digests: dict[str, str] = {}
    with staging(root) as stage:
        for name, model in judged.items():
            digests[name] = write_artifact(
                stage / name,
                model.fitted,
                schema=schema,
                knots=model.calibration.knots,
                golden=model.golden,
                metrics=model.metrics,
                training={
                    **training,
                    "parameters": model.fitted.parameters,
                    "imbalance": model.fitted.imbalance,
                    "calibration": {
                        "method": model.calibration.method,
                        "errors": model.calibration.errors,
                    },
                },
            )
        versions = _register(
            judged, digests, stage, root, registry, training, ensemble, schema.schema_id
        )
    for name, version in versions.items():
        registry.set_alias(name, role, version)
    for name, digest in digests.items():
        point_alias(root, name, digest, role)
    return Published(digests, versions, plan if activate is None else activate(plan))


def _register(
    judged: dict[str, Judged],
    digests: dict[str, str],
    stage: Path,
    root: Path,
    registry: Registry,
    training: dict[str, Any],
    ensemble: dict[str, float],
    schema_id: str,
) -> dict[str, str]:
    """Log each variant as a run of its own under one run of the whole, and register it."""
    tags = {"schema_id": schema_id}
    versions: dict[str, str] = {}
    try:
        with registry.run("train", tags) as whole:
            registry.log(whole, _flat(training), ensemble)
            for name, model in judged.items():
                own = {
                    **tags,
                    "variant": name,
                    "digest": digests[name],
                    "imbalance": model.fitted.imbalance,
                }
                parent = {"mlflow.parentRunId": whole.info.run_id}
                with registry.run(name, {**own, **parent}) as run:
                    registry.log(run, {**_flat(training), **model.fitted.parameters}, model.metrics)
                    registry.log_folder(run, stage / name, "artifact")
                    place(stage / name, root, name, digests[name])
                    versions[name] = registry.register(run, name, own, "artifact")
    except BaseException:
        for name, version in versions.items():
            registry.withdraw(name, version)
        raise
    return versions


def _flat(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"rows": {"train": 5}}` -> `{"rows.train": 5}`."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
