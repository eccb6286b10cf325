"""The report of a training run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fraud.plan import Plan
from models.artifact import version_of
from training.config import BASELINE
from training.evaluate.results import RunResults
from training.finding import Finding
from training.fit.scores import ENSEMBLE
from training.registry.publish import Published


@dataclass(frozen=True, slots=True)
class VariantReport:
    """One fitted variant.

    Attributes:
        name, family: see `models.artifact.Manifest`.
        version, digest: of its artifact.
        registered: its version number in MLflow.
        bytes: size of its largest file.
        metrics: figures on the test part.
    """

    name: str
    family: str
    version: str
    digest: str
    registered: str
    bytes: int
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """One training run.

    Attributes:
        variants: in the order of the configuration.
        ensemble: figures of the plan on the test part, and the share of test payments that
            reaches each of its thresholds.
        plan: the plan; active now unless challengers or a table were trained, or `stays` is set.
        stays: name and version of the plan of another name that decides on; None if there is none.
        baseline: the variant with which the others are compared; None if it was not trained.
        rows, frauds: of `history`, `train`, `validation`, `calibration` and `test`; unlabelled
            rows count only in `rows["history"]`.
        window: the bounds of each part, RFC 3339.
        schema_id: of the features.
        seed: of all randomness.
        seconds: time by stage.
        choices: how calibration and combining method were chosen, see `FittedRun.choices`.
        run_id: MLflow's id of the whole training.
        report: path of the run's page.
        figures: model -> figures on the test part: the variants, `ensemble` and `one-rule`.
        beside: the ensemble and its best member on the test part, see `FittedRun.comparison`.
        beside_plan: figures on the test part of each subset of the plan's members and of the
            cascade, see `PlanFit.figures`.
        short: a sentence for each held-back part with fewer frauds than wanted.
        findings: of the leak guard: `severity`, `code`, `sentence` and `allowed`.
        reference: what was left for files that nobody labelled: `id`, `listed` and `sentence`, see
            `list_reference`; None if nothing was.
        details: intervals, weeks, segments and the rest of `Evaluation.to_document`.
    """

    variants: tuple[VariantReport, ...]
    ensemble: dict[str, float]
    plan: Plan
    baseline: str | None
    rows: dict[str, int]
    frauds: dict[str, int]
    window: dict[str, str]
    schema_id: str
    seed: int
    seconds: dict[str, float] = field(default_factory=dict)
    choices: dict[str, Any] = field(default_factory=dict)
    run_id: str = ""
    stays: dict[str, Any] | None = None
    report: str | None = None
    figures: dict[str, dict[str, float]] = field(default_factory=dict)
    beside: dict[str, Any] | None = None
    beside_plan: dict[str, float] = field(default_factory=dict)
    short: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    reference: dict[str, Any] | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """JSON-ready dict, with `figures` as `models`, the plan's own document, and the `details`
        merged in."""
        document = asdict(self) | {"plan": self.plan.to_document()}
        document["models"] = document.pop("figures")
        details = document.pop("details")
        return {**document, **details}


def report_of(
    results: RunResults,
    published: Published,
    folder: Path,
    seconds: dict[str, float],
    reference: dict[str, Any] | None = None,
) -> TrainingReport:
    """Report on a published run, and write its page.

    Args:
        folder: for the page, `train-<run>.html`.
        seconds: by stage.
        reference: what was left for files that nobody labelled.
    """
    fitted_run = results.fitted_run
    rows, frauds = fitted_run.split.counts(fitted_run.dataset.label)
    variants = tuple(
        VariantReport(
            name=name,
            family=model.fitted.family,
            version=version_of(published.digests[name]),
            digest=published.digests[name],
            registered=published.versions[name],
            bytes=max(len(body) for body in model.fitted.files.values()),
            metrics=model.metrics,
        )
        for name, model in fitted_run.models.items()
    )
    return TrainingReport(
        variants=variants,
        ensemble=results.evaluation.models[ENSEMBLE],
        plan=published.plan,
        baseline=next((name for name in fitted_run.models if name.endswith(BASELINE)), None),
        rows=rows,
        frauds=frauds,
        window=fitted_run.split.bounds.window(),
        schema_id=fitted_run.dataset.schema_id,
        seed=fitted_run.config.seed,
        seconds=seconds,
        choices=fitted_run.choices(),
        run_id=published.run_id,
        stays=None if published.stays is None else published.stays._asdict(),
        report=_write_page(published, folder),
        figures=results.evaluation.models,
        beside=fitted_run.comparison(),
        beside_plan=fitted_run.plan_fit.figures(),
        short=fitted_run.short(),
        findings=tuple(results.findings or ()),
        reference=reference,
        details=results.evaluation.to_document(),
    )


def _write_page(published: Published, folder: Path) -> str | None:
    """Write a run's page and return its path."""
    if published.page is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"train-{published.run_id}.html"
    path.write_text(published.page, encoding="utf-8")
    return str(path)
