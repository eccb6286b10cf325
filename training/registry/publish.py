"""Publishing a training run: artifacts, registry, aliases, plan. In that order, so that a run
killed half way leaves nothing that replicas would load."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deciding.plans.table import Offered
from deciding.plans.versions import PlanId
from fraud.plan import Plan
from fraud.variant import HOUSE
from models.artifact import version_of
from models.drift import ReferenceDistributions
from models.store.alias import FORCED, TRAINED, Move, moment
from models.store.store import ArtifactStore
from training.evaluate.baselines import ONE_RULE
from training.evaluate.page import Facts
from training.evaluate.results import RunResults
from training.fit.cascade import CASCADE_FILE
from training.fit.plan_fit import CalibratedModel
from training.fit.scores import ENSEMBLE
from training.metrics.ranking import precision_by_recall
from training.reference.leave import LeftReference
from training.registry.aliases import align_mlflow, moved_aliases
from training.registry.artifact_writer import staging, write_artifact
from training.registry.mlflow_registry import PLAN_FILE, TRAINING, Registry
from training.registry.owned_plan import owned_plan
from training.registry.owner_plans import replaced_by
from training.registry.provenance import Provenance
from training.registry.reference_distributions import references
from training.registry.signature import EXAMPLE_FILE, input_example, model_file
from training.sets.schema import FeatureSchema

if TYPE_CHECKING:
    from mlflow.entities import Run


LAYOUT_FILE = "layout.toml"
"""The layout of the file that a run read."""
SEARCH_FILE = "search.json"
"""The file of all trials of a run's search."""


@dataclass(frozen=True, slots=True)
class Published:
    """A published training run.

    Attributes:
        digests, versions: variant -> digest of its artifact, and its number in MLflow.
        plan: as stored, over the owner's champions.
        run_id: MLflow's id of the whole training.
        stays: the plan of another name that decides on, if the trained one only waits; else None.
        page: HTML of the run's report; None without results.
        reference: what the run left for files that nobody labelled; None if it left none.
    """

    digests: dict[str, str]
    versions: dict[str, str]
    plan: Plan
    run_id: str
    stays: PlanId | None = None
    page: str | None = None
    reference: LeftReference | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a run is published, and how.

    Attributes:
        store: takes the artifacts and their aliases.
        registry: takes the runs.
        role: the alias that the models get, in both.
        owner: whose alias it is, and whose plan: a tenant, or `HOUSE`.
        lock: held while versions are registered and aliases moved.
        activate: stores the plan and, unless one of another name is active, activates it: the last
            step; None: the active plan stays.
        active: returns the plan that is active before, for a rollback; called with `activate`.
        forced: why models without skill become champions; "" if they have skill.
        tags: of the run: `tenant`, and `as_of`, the moment at which labels were read.
        provenance: of the run; None: not recorded.
        check: raises if the models must not take the alias; called while the lock is held, since
            another training may have moved it meanwhile.
        leave: writes the run's reference beside the models' artifacts, given their digests and the
            folder that holds them; it gets the same alias. None: no reference.
        clock_s: seconds since 1970.
        layout: TOML of the layout of the file that the run read; None: it read no file.
    """

    store: ArtifactStore
    registry: Registry
    role: str
    lock: Callable[[], AbstractContextManager[None]]
    activate: Callable[[Plan], Offered] | None = None
    active: Callable[[], Plan | None] = lambda: None
    forced: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    provenance: Provenance | None = None
    check: Callable[[], None] = lambda: None
    clock_s: Callable[[], float] = time.time
    owner: str = HOUSE
    leave: Callable[[Mapping[str, str], Path], LeftReference] | None = None
    layout: str | None = None


def publish(
    models: dict[str, CalibratedModel],
    plan: Plan,
    *,
    schema: FeatureSchema,
    training: dict[str, Any],
    ensemble: dict[str, float],
    to: Destination,
    results: RunResults | None = None,
) -> Published:
    """Write and register everything.

    After an exception or Ctrl-C at any moment nothing is registered and every alias is unchanged.
    If the process is killed while registering, the next run withdraws what it left.

    Args:
        schema: the columns that the models use.
        training: the part of `Manifest.training` that all variants share.
        ensemble: figures of the plan.
        results: intervals, pictures and the page, to be logged as well.

    Raises:
        Busy: another process has been registering for minutes.
        OtherTenant: from `to.check`.
    """
    plan = owned_plan(plan, to.owner)
    with staging() as stage, ExitStack() as alone:
        digests = _write(models, stage, schema, training, _references(results))
        left = None if to.leave is None else to.leave(digests, stage)
        tags = {**TRAINING, "schema_id": schema.schema_id, "role": to.role, **to.tags}
        run = _Run(models, digests, tags, _flat(training), to, schema.names, results)
        with to.registry.run(_title(to), {**tags, **_source(to)}) as whole:
            if results is not None and to.provenance is not None:
                to.registry.log_data(whole, to.provenance.input(results.fitted_run.dataset))
            to.registry.log(whole, run.parameters, {**ensemble, **run.bounds(ENSEMBLE)})
            to.registry.log_document(whole, plan.to_document(), PLAN_FILE)
            if to.layout is not None:
                to.registry.log_text(whole, to.layout, LAYOUT_FILE)
            if results is not None and results.fitted_run.trials:
                trials = [trial.row() for trial in results.fitted_run.trials]
                to.registry.log_document(whole, {"trials": trials}, SEARCH_FILE)
            logged = {name: run.log(name, stage / name, whole) for name in models}
            page = (
                None
                if results is None
                else _log_results(results, whole, digests, training, stage, to)
            )
            alone.enter_context(to.lock())
            to.check()
            to.registry.sweep(whole.info.run_id)
            if left is not None:
                to.store.put(stage / left.variant, left.variant, left.digest)
            versions = run.register(logged, whole)
        stored = _move_aliases(digests, plan, whole.info.run_id, to, left)
        align_mlflow(to.registry, to.store, models, to.owner)
    return Published(digests, versions, stored.plan, whole.info.run_id, stored.active, page, left)


def _references(results: RunResults | None) -> ReferenceDistributions | None:
    if results is None:
        return None
    fitted_run = results.fitted_run
    held_back = fitted_run.plan_fit.scores.calibration
    return references(fitted_run.dataset, fitted_run.split, held_back)


def _write(
    models: dict[str, CalibratedModel],
    stage: Path,
    schema: FeatureSchema,
    training: dict[str, Any],
    reference: ReferenceDistributions | None,
) -> dict[str, str]:
    """Write every variant's artifact into its own folder, and return their digests."""
    return {
        name: write_artifact(
            stage / name,
            model.fitted,
            schema=schema,
            knots=model.calibration.knots,
            golden=model.golden,
            reference=reference,
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
        for name, model in models.items()
    }


@dataclass(frozen=True, slots=True)
class _Run:
    """A run while it is being registered."""

    models: dict[str, CalibratedModel]
    digests: dict[str, str]
    tags: dict[str, str]
    parameters: dict[str, Any]
    to: Destination
    columns: tuple[str, ...]
    results: RunResults | None

    def bounds(self, model: str) -> dict[str, float]:
        """The ends of the intervals of a model's figures."""
        return {} if self.results is None else self.results.evaluation.bounds(model)

    def log(self, name: str, folder: Path, whole: Run) -> Run:
        """Log a variant as a child run of the whole run, and store its artifact."""
        model, registry = self.models[name], self.to.registry
        with registry.run(
            name,
            {
                **self._of(name),
                **_source(self.to),
                "mlflow.parentRunId": whole.info.run_id,
            },
        ) as run:
            parameters = {**self.parameters, **model.fitted.parameters}
            registry.log(run, parameters, {**model.metrics, **self.bounds(name)})
            for curve, values in _curves(model, self.results).items():
                registry.log_curve(run, curve, values)
            registry.log_folder(run, folder, "artifact")
            features, _, scores = model.golden
            # MLflow shows these for a version. They lie beside the artifact and are no part of it.
            described = model_file(model.fitted, self.columns, features, scores, run.info.run_id)
            registry.log_text(run, described, "artifact/MLmodel")
            example = input_example(self.columns, features)
            registry.log_document(run, example, f"artifact/{EXAMPLE_FILE}")
            self.to.store.put(folder, name, self.digests[name])
        return run

    def register(self, logged: dict[str, Run], whole: Run) -> dict[str, str]:
        """Register every variant or none, and return their version numbers."""
        versions: dict[str, str] = {}
        try:
            for name, run in logged.items():
                own = {**self._of(name), "run": whole.info.run_id}
                versions[name] = self.to.registry.register(run, name, own, "artifact")
        except BaseException:
            for name, version in versions.items():
                self.to.registry.withdraw(name, version)
            raise
        return versions

    def _of(self, name: str) -> dict[str, str]:
        imbalance = self.models[name].fitted.imbalance
        return {
            **self.tags,
            "kind": "variant",
            "variant": name,
            "digest": self.digests[name],
            "imbalance": imbalance,
        }


def _title(to: Destination) -> str:
    at = moment(to.clock_s())
    return at if to.provenance is None else to.provenance.title(at)


def _source(to: Destination) -> Mapping[str, str]:
    return {} if to.provenance is None else to.provenance.tags


def _curves(model: CalibratedModel, results: RunResults | None) -> dict[str, Sequence[float]]:
    """The curves of a variant: loss by round, and precision by percent of recall on the test
    part."""
    curves: dict[str, Sequence[float]] = {}
    if model.fitted.losses:
        curves["validation_log_loss"] = model.fitted.losses
    if results is not None:
        fraud = results.fitted_run.plan_fit.scores.test.fraud.astype(np.float64)
        precision = precision_by_recall(model.scores["test"], fraud)
        curves["precision_at_recall_percent"] = precision.tolist()
    return curves


def _log_results(
    results: RunResults,
    whole: Run,
    digests: dict[str, str],
    training: dict[str, Any],
    stage: Path,
    to: Destination,
) -> str:
    """Log configuration, baseline, pictures and page of a run, and return the page."""
    registry, evaluation = to.registry, results.evaluation
    pictures = stage / "pictures"
    pictures.mkdir()
    for name, svg in results.pictures.items():
        (pictures / f"{name}.svg").write_text(svg, encoding="utf-8")
    registry.log_folder(whole, pictures, "pictures")
    if ONE_RULE in evaluation.models:
        rule = {f"{ONE_RULE}/{name}": v for name, v in results.figures(ONE_RULE).items()}
        registry.log(whole, {}, rule)
    plan_fit = results.fitted_run.plan_fit
    registry.log(whole, {}, plan_fit.figures())
    if plan_fit.cascade is not None and plan_fit.cascade.plan is not None:
        cascade = owned_plan(plan_fit.cascade.plan, to.owner)
        registry.log_document(whole, cascade.to_document(), CASCADE_FILE)
    registry.log_document(whole, results.fitted_run.config.model_dump(mode="json"), "config.json")
    registry.log_document(whole, evaluation.to_document(), "evaluation.json")
    page = results.page(
        Facts(
            run_id=whole.info.run_id,
            made_at=datetime.fromtimestamp(to.clock_s(), UTC),
            role=to.role,
            versions={name: version_of(digest) for name, digest in digests.items()},
            seconds=dict(results.seconds),
            environment={**to.tags, **_environment(results, training)},
        )
    )
    registry.log_text(whole, page, "report.html")
    return page


def _environment(results: RunResults, training: dict[str, Any]) -> dict[str, Any]:
    """What a run depends on besides its data."""
    libraries = training.get("libraries", {})
    return {
        "schema": results.fitted_run.dataset.schema_id,
        "seed": results.fitted_run.config.seed,
        "code": training.get("code", ""),
        **libraries,
    }


def _move_aliases(
    digests: dict[str, str], plan: Plan, run_id: str, to: Destination, left: LeftReference | None
) -> Offered:
    """Move the aliases to the new models and their reference, and activate the plan; all or
    nothing."""
    at = moment(to.clock_s())
    before = None if to.activate is None else replaced_by(plan, to.active(), to.owner)
    how = FORCED if to.forced else TRAINED
    moves = {
        name: Move(digest, at, how, to.forced, run=run_id, plan_before=before)
        for name, digest in digests.items()
    }
    if left is not None:
        # Without a run: a rollback of the run brings models back, and leaves references alone.
        moves[left.variant] = Move(left.digest, at, how, to.forced)
    with moved_aliases(to.store, to.role, moves, to.owner):
        return Offered(plan, False) if to.activate is None else to.activate(plan)


def _flat(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"rows": {"train": 5}}` -> `{"rows.train": 5}`."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
