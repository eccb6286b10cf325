"""Making a training run count: artifacts, registry, aliases, plan. In that order, so that a run
that is killed on the way leaves nothing that anybody would load."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fraud.plan import Plan
from models.artifact import version_of
from models.drift import ReferenceDistributions
from models.store.alias import FORCED, TRAINED, Move, moment
from models.store.store import ArtifactStore
from training.evaluate.baselines import ONE_RULE
from training.evaluate.page import Facts
from training.evaluate.results import Story
from training.fit.evaluated import ENSEMBLE
from training.fit.plan_fit import Judged
from training.metrics.ranking import precision_by_recall
from training.registry.artifact_writer import staging, write_artifact
from training.registry.champions import align, moving
from training.registry.mlflow_registry import PLAN_FILE, TRAINING, Registry
from training.registry.provenance import Provenance
from training.registry.reference import references
from training.registry.signature import EXAMPLE_FILE, input_example, model_file
from training.sets.schema import FeatureSchema

if TYPE_CHECKING:
    from mlflow.entities import Run


SEARCH_FILE = "search.json"
"""Every trial of the search that a run's parameters come from."""


@dataclass(frozen=True, slots=True)
class Published:
    """What was made to count.

    Attributes:
        digests, versions: of each variant, of its artifact and MLflow's number.
        plan: as it was stored.
        run_id: MLflow's, of the training as a whole.
        page: HTML of the run's report, None if there was nothing to tell.
    """

    digests: dict[str, str]
    versions: dict[str, str]
    plan: Plan
    run_id: str
    page: str | None = None


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a run goes.

    Attributes:
        store: takes the artifacts and their aliases.
        registry: takes the runs.
        role: the alias that the models get, in both.
        lock: held while versions are registered and aliases moved.
        activate: stores the plan as the active one, the last step that counts; None: the plan
            that serves goes on.
        active: the plan that decides before, which a rollback brings back; asked with `activate`.
        provenance: where the run comes from; None: nothing is told of it.
        forced: why models without skill become champions; "" of models that have it.
        tags: of the run: `tenant`, and `as_of`, the moment up to which labels were read.
        check: raises if the models must not take the alias; asked while the lock is held, since
            another training may have moved it meanwhile.
        clock_s: seconds since 1970.
    """

    store: ArtifactStore
    registry: Registry
    role: str
    lock: Callable[[], AbstractContextManager[None]]
    activate: Callable[[Plan], Plan] | None = None
    active: Callable[[], Plan | None] = lambda: None
    forced: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    provenance: Provenance | None = None
    check: Callable[[], None] = lambda: None
    clock_s: Callable[[], float] = time.time


def publish(
    judged: dict[str, Judged],
    plan: Plan,
    *,
    schema: FeatureSchema,
    training: dict[str, Any],
    ensemble: dict[str, float],
    to: Destination,
    story: Story | None = None,
) -> Published:
    """Write and register everything.

    Cut off at any moment by an exception or Ctrl-C, nothing is registered and every alias names
    what it named before. Killed while it registers, the next run takes back what it left.

    Args:
        schema: the columns that the models see.
        training: `Manifest.training` that all variants share.
        ensemble: figures of the plan.
        story: what the registry is told besides: intervals, pictures, a page.

    Raises:
        Busy: another process has been registering for minutes.
        OtherTenant: by `to.check`.
    """
    with staging() as stage, ExitStack() as alone:
        digests = _write(judged, stage, schema, training, _references(story))
        tags = {**TRAINING, "schema_id": schema.schema_id, "role": to.role, **to.tags}
        run = _Run(judged, digests, tags, _flat(training), to, schema.names, story)
        with to.registry.run(_title(to), {**tags, **_source(to)}) as whole:
            if story is not None and to.provenance is not None:
                to.registry.log_data(whole, to.provenance.input(story.trained.dataset))
            to.registry.log(whole, run.parameters, {**ensemble, **run.bounds(ENSEMBLE)})
            to.registry.log_document(whole, plan.to_document(), PLAN_FILE)
            if story is not None and story.trained.trials:
                trials = [trial.row() for trial in story.trained.trials]
                to.registry.log_document(whole, {"trials": trials}, SEARCH_FILE)
            logged = {name: run.log(name, stage / name, whole) for name in judged}
            page = None if story is None else _told(story, whole, digests, training, stage, to)
            alone.enter_context(to.lock())
            to.check()
            to.registry.sweep(whole.info.run_id)
            versions = run.register(logged, whole)
        stored = _point(digests, plan, whole.info.run_id, to)
        align(to.registry, to.store, judged)
    return Published(digests, versions, stored, whole.info.run_id, page)


def _references(story: Story | None) -> ReferenceDistributions | None:
    if story is None:
        return None
    trained = story.trained
    held_back = trained.judgement.evaluated.calibration
    return references(trained.dataset, trained.split, held_back)


def _write(
    judged: dict[str, Judged],
    stage: Path,
    schema: FeatureSchema,
    training: dict[str, Any],
    reference: ReferenceDistributions | None,
) -> dict[str, str]:
    """Write every variant's artifact into a folder of its own. Returns their digests."""
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
        for name, model in judged.items()
    }


@dataclass(frozen=True, slots=True)
class _Run:
    """A run on its way into the registry."""

    judged: dict[str, Judged]
    digests: dict[str, str]
    tags: dict[str, str]
    parameters: dict[str, Any]
    to: Destination
    columns: tuple[str, ...]
    story: Story | None

    def bounds(self, model: str) -> dict[str, float]:
        """Ends of the intervals of a model's figures."""
        return {} if self.story is None else self.story.evaluation.bounds(model)

    def log(self, name: str, folder: Path, whole: Run) -> Run:
        """Log a variant as a run of its own under that of the whole, and store its artifact."""
        model, registry = self.judged[name], self.to.registry
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
            for curve, values in _curves(model, self.story).items():
                registry.log_curve(run, curve, values)
            registry.log_folder(run, folder, "artifact")
            features, _, scores = model.golden
            # Beside the artifact, of which they are no part: what MLflow shows of a version.
            described = model_file(model.fitted, self.columns, features, scores, run.info.run_id)
            registry.log_text(run, described, "artifact/MLmodel")
            example = input_example(self.columns, features)
            registry.log_document(run, example, f"artifact/{EXAMPLE_FILE}")
            self.to.store.put(folder, name, self.digests[name])
        return run

    def register(self, logged: dict[str, Run], whole: Run) -> dict[str, str]:
        """Register every variant, or none. Returns their version numbers."""
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
        imbalance = self.judged[name].fitted.imbalance
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


def _curves(model: Judged, story: Story | None) -> dict[str, Sequence[float]]:
    """Figures of a variant that have a value at each step: loss by round, and precision by each
    percent of recall on the test part."""
    curves: dict[str, Sequence[float]] = {}
    if model.fitted.losses:
        curves["validation_log_loss"] = model.fitted.losses
    if story is not None:
        fraud = story.trained.judgement.evaluated.test.fraud.astype(np.float64)
        precision = precision_by_recall(model.scores["test"], fraud)
        curves["precision_at_recall_percent"] = precision.tolist()
    return curves


def _told(
    story: Story,
    whole: Run,
    digests: dict[str, str],
    training: dict[str, Any],
    stage: Path,
    to: Destination,
) -> str:
    """Log what a run is told by: its configuration, baseline, pictures and page. Returns the
    page."""
    registry, evaluation = to.registry, story.evaluation
    pictures = stage / "pictures"
    pictures.mkdir()
    for name, svg in story.pictures.items():
        (pictures / f"{name}.svg").write_text(svg, encoding="utf-8")
    registry.log_folder(whole, pictures, "pictures")
    if ONE_RULE in evaluation.models:
        rule = {f"{ONE_RULE}/{name}": v for name, v in story.figures(ONE_RULE).items()}
        registry.log(whole, {}, rule)
    registry.log_document(whole, story.trained.config.model_dump(mode="json"), "config.json")
    registry.log_document(whole, evaluation.to_document(), "evaluation.json")
    page = story.page(
        Facts(
            run_id=whole.info.run_id,
            made_at=datetime.fromtimestamp(to.clock_s(), UTC),
            role=to.role,
            versions={name: version_of(digest) for name, digest in digests.items()},
            seconds=dict(story.seconds),
            environment={**to.tags, **_environment(story, training)},
        )
    )
    registry.log_text(whole, page, "report.html")
    return page


def _environment(story: Story, training: dict[str, Any]) -> dict[str, Any]:
    """What a run depended on besides its data."""
    libraries = training.get("libraries", {})
    return {
        "schema": story.trained.dataset.schema_id,
        "seed": story.trained.config.seed,
        "code": training.get("code", ""),
        **libraries,
    }


def _point(digests: dict[str, str], plan: Plan, run_id: str, to: Destination) -> Plan:
    """Let the aliases name the new models, and the plan decide: both or neither."""
    at = moment(to.clock_s())
    was = None if to.activate is None else to.active()
    before = None if was is None else (was.name, was.version)
    how = FORCED if to.forced else TRAINED
    moves = {
        name: Move(digest, at, how, to.forced, run=run_id, plan_before=before)
        for name, digest in digests.items()
    }
    with moving(to.store, to.role, moves):
        return plan if to.activate is None else to.activate(plan)


def _flat(document: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{"rows": {"train": 5}}` -> `{"rows.train": 5}`."""
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat
