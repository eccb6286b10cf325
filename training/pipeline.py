"""`quorum train`: history or a table -> features -> split -> fit -> judge -> publish."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version as version_of_package
from pathlib import Path
from typing import Any

import ray

from data.layout.layout import Layout
from deciding.plans.table import activation, active_of
from fraud.errors import NotTrainable
from fraud.payment.batch import Float64, Int64
from fraud.plan import Plan
from fraud.record import CODE_VERSION
from models.store.alias import CHAMPION, moment
from models.store.location import store_of
from settings.settings import Settings
from training.config import TrainConfig, without_warmup
from training.evaluate.predictions import require_writable, write_predictions
from training.evaluate.results import Story, tell
from training.evaluate.skill import overruled
from training.export.fitted import Fitted
from training.finding import Finding
from training.fit.crossfit import cross_split, crossfit, cut, held_back
from training.fit.in_process import fit_here
from training.fit.on_ray import fit_variants
from training.fit.plan_fit import judge_ensemble, judge_variants
from training.fit.search import SearchResult, search
from training.fit.trained import Trained, named_after, variant_of
from training.fit.trial import Trial
from training.guard.finished import inspect_models
from training.guard.guard import (
    check_declared,
    inspect_dataset,
    inspect_history,
    inspect_layout,
    inspect_replay,
)
from training.guard.rounds import Rounds
from training.locks import registry_lock
from training.progress import Progress, quiet
from training.promotion.tenants import keep_other_tenants
from training.ray.session import ray_session
from training.registry.mlflow_registry import Registry
from training.registry.provenance import Provenance, provenance
from training.registry.publish import Destination, Published, publish
from training.report import TrainingReport, report_of
from training.run import Run
from training.sets.dataset import Dataset, build_dataset, newest_history
from training.sets.sample import Sample, draw_sample
from training.sets.split import Split, split_by_time
from training.sets.tabular import read_table

LIBRARIES = ("numpy", "onnx", "onnxruntime", "ray", "scikit-learn", "xgboost")


@dataclass(frozen=True, slots=True)
class _Fits:
    """Fitted variants, the split that they belong to, and, if they were cross-fitted, raw scores
    of its validation part by models that had not seen it. `config` is what they were fitted with,
    `trials` the search that it comes from."""

    models: dict[str, Fitted]
    split: Split
    config: TrainConfig
    trials: tuple[Trial, ...] = ()
    held_back: dict[str, Float64] | None = None


def train(
    settings: Settings,
    config: TrainConfig,
    progress: Progress = quiet,
    *,
    ray_address: str | None = None,
    role: str = CHAMPION,
    for_every_tenant: bool = False,
    predictions: Path | None = None,
    force: str | None = None,
) -> TrainingReport:
    """Train every variant on the tenant's history and make the result count.

    Blocks; must not be called from a running event loop. Interrupted at any moment it leaves the
    models and the plan that served before.

    Args:
        settings: database, artifacts, registry, tenant; `database_url` must be set.
        config: what to train.
        progress: told how far it is, from this thread.
        ray_address: of a running Ray; None for a private one on this machine, stopped at the end.
        role: the alias that the models get: `champion`, which serves from now on under the new
            plan, or `challenger`, which changes nothing that serves.
        for_every_tenant: the models may take the place of another tenant's champions.
        predictions: file for what the models say of each row of the test part.
        force: why models become champions that are no better than chance or a baseline; kept with
            them. None: they do not.

    Raises:
        NoSkill: they are no better, and nothing is forced.
        NotTrainable: too little history, no database, or data that leaks (`LeakFound`).
        OtherTenant: the champions are another tenant's.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    if settings.database_url is None:
        raise NotTrainable("no database: set DATABASE_URL, or start Quorum with `quorum up`")
    database_url = settings.database_url.get_secret_value()
    rounds = Rounds(config.allow_leaks, config.honest)
    run = Run(
        settings,
        config,
        progress,
        ray_address,
        rounds=rounds,
        for_every_tenant=for_every_tenant,
        predictions=predictions,
        force=force,
    )
    activate = activation(database_url) if role == CHAMPION else None

    def dataset() -> Dataset:
        with run.watch.stage("history"):
            progress("history", 0, 1)
            history = asyncio.run(
                newest_history(database_url, settings.tenant, config.history_days)
            )
            progress("history", 1, 1)
        run.guard(lambda: inspect_history(history, config.seed))
        with run.watch.stage("features"):
            found = build_dataset(
                history, settings.home / "cache", lambda n, of: progress("features", n, of)
            )
        run.guard(lambda: inspect_replay(history, found, config.seed))
        return found

    source = provenance(settings.tenant, f"postgresql:transactions?tenant={settings.tenant}")
    return _trained(run, dataset, None, role, activate, source)


def train_tabular(
    settings: Settings,
    layout: Layout,
    path: Path,
    config: TrainConfig,
    progress: Progress = quiet,
    *,
    ray_address: str | None = None,
    for_every_tenant: bool = False,
    predictions: Path | None = None,
    force: str | None = None,
) -> TrainingReport:
    """Train every variant on a table's own columns: no history, no features, no plan that serves.

    The models are registered as champions under names of their own, `<layout>-<variant>`.

    Args:
        layout: with a section `[tabular]`.
        path: the file.
        force: see `train`.

    Raises:
        NoSkill: see `train`.
        NotTrainable: too few rows, the layout names no columns to train on, or data that leaks
            (`LeakFound`).
        SourceUnreadable, LayoutInvalid: the file is not what the layout says.
    """
    rounds = Rounds(config.allow_leaks, config.honest)
    run = Run(
        settings,
        without_warmup(config),
        progress,
        ray_address,
        tabular=True,
        rounds=rounds,
        for_every_tenant=for_every_tenant,
        predictions=predictions,
        force=force,
    )

    def dataset() -> Dataset:
        run.guard(lambda: inspect_layout(layout))
        with run.watch.stage("features"):
            said: list[Finding] = []
            found = read_table(
                path,
                layout,
                lambda n, of: progress("features", n, of),
                lambda sentence: said.append(Finding("warn", "unreadable-cells", sentence)),
            )
        if said:
            run.guard(lambda: said)
        return found

    source = provenance(layout.name, path.absolute().as_uri())
    return _trained(run, dataset, layout.name, CHAMPION, None, source)


def _trained(
    run: Run,
    read: Callable[[], Dataset],
    set_name: str | None,
    role: str,
    activate: Callable[[Plan], Plan] | None,
    source: Provenance,
) -> TrainingReport:
    """The stages that all kinds of sets go through.

    Args:
        set_name: of a table, whose models are named after it; None: of payments.
    """
    settings, store = run.settings, store_of(run.settings)
    names = [variant_of(set_name, variant) for variant in run.config.variants]

    def check() -> None:
        if role == CHAMPION and not run.for_every_tenant:
            keep_other_tenants(store, dict.fromkeys(names, settings.tenant))

    check()
    if run.predictions is not None:
        require_writable(run.predictions)
    # Before anything is read: what is labelled meanwhile is new to the next run.
    as_of = moment(time.time())
    # MLflow takes seconds to import and to make its tables: meanwhile data is read.
    with ThreadPoolExecutor(1, thread_name_prefix="registry") as background:
        registry = background.submit(Registry, settings.tracking_uri, settings.home / "mlruns")
        dataset = read()
        check_declared(dataset, run.config.honest)
        split = split_by_time(
            dataset.timestamp_ms, dataset.label, dataset.known_at_ms, run.config.split
        )
        run.guard(lambda: inspect_dataset(dataset, split, run.config.seed))
        trained = _judge(_fit(dataset, split, run), dataset, run)
        trained = trained if set_name is None else named_after(trained, set_name)
        run.guard(lambda: inspect_models(trained, run.config.seed))
        with run.watch.stage("report"):
            run.progress("report", 0, 1)
            if run.predictions is not None:
                write_predictions(run.predictions, trained)
            story = tell(trained, run.watch.seconds, run.rounds.findings)
            run.progress("report", 1, 1)
        forced = overruled(story, run.force) if role == CHAMPION else ""
        with run.watch.stage("publish"):
            run.progress("publish", 0, 1)
            to = Destination(
                store=store,
                registry=registry.result(),
                role=role,
                lock=lambda: registry_lock(settings),
                activate=activate,
                active=lambda: active_of(settings),
                tags={"tenant": settings.tenant, "as_of": as_of, **run.rounds.tags()}
                | ({"forced": forced} if forced else {}),
                forced=forced,
                provenance=source,
                check=check,
            )
            published = _publish(story, to)
            run.progress("publish", 1, 1)
    return report_of(story, published, settings.home / "reports", run.watch.seconds)


def _fit(dataset: Dataset, split: Split, run: Run) -> _Fits:
    """Fit every variant. What must not be learnt from is refused before this."""
    config = run.config
    storage = (run.settings.home / "cache" / "ray-train").absolute()
    storage.mkdir(parents=True, exist_ok=True)
    with run.watch.stage("fit"):
        if run.crosses:
            return _cross_fit(dataset, split, run, storage)
        total, done = len(config.variants), 0

        def fitted(_: str) -> None:
            nonlocal done
            done += 1
            run.progress("fit", done, total)

        sample = _sample(dataset, split.train, split.validation, config)
        with ray_session(run.ray_address, _bytes(sample)):
            found = _searched(sample, run, storage)
            run.progress("fit", 0, total)
            models = fit_variants(sample, found.config, storage, fitted)
        return _Fits(models, split, found.config, found.trials)


def _cross_fit(dataset: Dataset, split: Split, run: Run, storage: Path) -> _Fits:
    split = cross_split(dataset, split)
    with ExitStack() as stack:
        chosen, fit = SearchResult(run.config, ()), fit_here
        if not run.fits_here:
            rows = min(split.train.size, run.config.max_training_rows) + split.train.size // 2
            size = rows * len(dataset.schema) * 4
            stack.enter_context(ray_session(run.ray_address, size))
            fit = partial(fit_variants, storage=storage, fitted=lambda _: None)
        if run.config.search.wanted:
            # On the newest fold and what lies before it, the nearest to what the models will meet.
            sample = _sample(dataset, *cut(dataset, split.train, run.config)[-1], run.config)
            chosen = _searched(sample, run, storage)
        found = crossfit(
            dataset,
            split.train,
            chosen.config,
            fit,
            lambda done, total: run.progress("fit", done, total),
        )
    held = held_back(split, dataset, found.rows)
    return _Fits(found.models, held, chosen.config, chosen.trials, found.raw)


def _searched(sample: Sample, run: Run, storage: Path) -> SearchResult:
    """The configuration to fit with: what a search finds, if one is asked for."""
    if not run.config.search.wanted:
        return SearchResult(run.config, ())
    return search(
        ray.put(sample), run.config, storage, lambda done, of: run.progress("search", done, of)
    )


def _sample(dataset: Dataset, train: Int64, validation: Int64, config: TrainConfig) -> Sample:
    return draw_sample(
        dataset.values,
        dataset.label,
        train,
        validation,
        dataset.schema,
        config.max_training_rows,
        config.seed,
    )


def _bytes(sample: Sample) -> int:
    return int(sample.x_train.nbytes + sample.x_validation.nbytes)


def _judge(fits: _Fits, dataset: Dataset, run: Run) -> Trained:
    split = fits.split
    with run.watch.stage("judge"):
        run.progress("judge", 0, 2)
        judged = judge_variants(fits.models, dataset, split, fits.held_back)
        run.progress("judge", 1, 2)
        judgement = judge_ensemble(judged, dataset, split, fits.config)
        run.progress("judge", 2, 2)
    return Trained(dataset, split, fits.config, judged, judgement, fits.trials)


def _publish(story: Story, to: Destination) -> Published:
    trained = story.trained
    rows, frauds = trained.split.counts(trained.dataset.label)
    training: dict[str, Any] = {
        "tenant": to.tags["tenant"],
        "seed": trained.config.seed,
        "window": trained.split.bounds.window(),
        "rows": rows,
        "frauds": frauds,
        "shared_calibration": trained.split.shared,
        "code": CODE_VERSION,
        "libraries": {name: version_of_package(name) for name in LIBRARIES},
    }
    return publish(
        trained.judged,
        trained.judgement.plan,
        schema=trained.dataset.schema,
        training=training,
        ensemble=trained.judgement.metrics,
        to=to,
        story=story,
    )
