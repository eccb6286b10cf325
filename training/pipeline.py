"""`quorum train`: history or a table -> features -> split -> fit -> calibrate -> publish."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Unpack

import ray

from data.history.history import History
from data.layout.layout import Layout
from deciding.plans.table import Offered, activation, active_of
from fraud.errors import NotTrainable
from fraud.payment.batch import Float64
from fraud.plan import Plan
from models.store.alias import CHAMPION, moment
from models.store.location import store_of
from settings.settings import Settings
from training.config import TrainConfig, without_warmup
from training.evaluate.predictions import require_writable, write_predictions
from training.evaluate.results import results_of
from training.evaluate.skill import require_skill
from training.export.fitted import Fitted
from training.finding import Finding
from training.fit.crossfit import cross_split, crossfit, cut, sample_rows, with_held_back
from training.fit.fitted_run import FittedRun, renamed_for_table, table_variant
from training.fit.in_process import fit_in_process
from training.fit.on_ray import fit_on_ray
from training.fit.plan_fit import calibrate_models, fit_and_score_plan
from training.fit.search import SearchResult, search
from training.fit.search_trial import SearchTrial
from training.guard.fitted_models import inspect_models
from training.guard.guard import (
    check_declared,
    inspect_backfill,
    inspect_dataset,
    inspect_history,
    inspect_layout,
)
from training.progress import Progress, quiet
from training.promotion.tenants import require_own_payments
from training.ray_runtime.session import ray_session
from training.reference.leave import leaver, list_reference
from training.reference.measured import Measured, TableMeasurer, measured_payments
from training.registry.locks import registry_lock
from training.registry.mlflow_registry import Registry
from training.registry.provenance import Provenance, provenance
from training.registry.publish import Destination
from training.registry.publish_run import publish_run
from training.report import TrainingReport, report_of
from training.run import Run, RunOptions
from training.run_storage import RunStorage, run_storage_of
from training.sets.dataset import Dataset, build_dataset, newest_history
from training.sets.sample import Sample
from training.sets.split import Split, split_by_time
from training.sets.tabular import read_table


@dataclass(frozen=True, slots=True)
class _FittedVariants:
    """Fitted variants.

    Attributes:
        split: the parts that they were fitted on and are measured on.
        config: what they were fitted with; after a search, with the parameters it found.
        trials: of that search.
        held_back: if they were cross-fitted, raw scores of the validation part by models that had
            not seen it.
    """

    models: dict[str, Fitted]
    split: Split
    config: TrainConfig
    trials: tuple[SearchTrial, ...] = ()
    held_back: dict[str, Float64] | None = None


def train(
    settings: Settings,
    config: TrainConfig,
    progress: Progress = quiet,
    *,
    role: str = CHAMPION,
    **options: Unpack[RunOptions],
) -> TrainingReport:
    """Train every variant on the tenant's history and publish the result.

    Models of the home tenant become the house's, under the house's plan; those of another tenant
    become its own (`mine/xgboost`), under a plan of its own.

    Blocks; must not be called from a running event loop. An interrupted training leaves the models
    and the plan that served before.

    Args:
        settings: database, artifacts, registry, tenant and home tenant; `database_url` must be
            set.
        config: what to train.
        progress: called as the run advances, from this thread.
        role: the alias that the models get: `champion`, which serves from now on under the new
            plan, or `challenger`, which changes nothing that serves.
        options: see RunOptions.

    Raises:
        NoSkill: the plan beats neither chance nor a baseline, and `force` is None.
        NotTrainable: too little history, no database, or data that leaks (`LeakFound`).
        OtherTenant: the house's champions learnt from another tenant's payments.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    if settings.database_url is None:
        raise NotTrainable("no database: set DATABASE_URL, or start Quorum with `quorum up`")
    database_url = settings.database_url.get_secret_value()
    run = Run(settings, config, progress, **options)
    activate = activation(database_url, run.owner) if role == CHAMPION else None

    def dataset() -> tuple[Dataset, Measured | None]:
        with run.watch.stage("history"):
            progress("history", 0, 1)
            history = asyncio.run(
                newest_history(database_url, settings.tenant, config.history_days)
            )
            progress("history", 1, 1)
        challenges = role != CHAMPION
        measured = None if challenges else measured_payments(settings.tenant, history.batch)
        return replayed(run, history), measured

    source = provenance(settings.tenant, f"postgresql:transactions?tenant={settings.tenant}")
    return run_stages(run, dataset, None, role, activate, source)


def replayed(run: Run, history: History) -> Dataset:
    """The features of a history, with the rounds of the leak guard on it. Raises LeakFound."""
    run.guard(lambda: inspect_history(history, run.config.seed))
    with run.watch.stage("features"):
        found = build_dataset(
            history, run.settings.home / "cache", lambda n, of: run.progress("features", n, of)
        )
    run.guard(lambda: inspect_backfill(history, found, run.config.seed))
    return found


def train_tabular(
    settings: Settings,
    layout: Layout,
    path: Path,
    config: TrainConfig,
    progress: Progress = quiet,
    **options: Unpack[RunOptions],
) -> TrainingReport:
    """Train every variant on a table's own columns. No plan that serves changes.

    The models are registered as champions named `<layout>-<variant>`.

    Args:
        layout: must have a section `[tabular]`.
        path: CSV or Parquet file.
        options: see RunOptions.

    Raises:
        NoSkill: see `train`.
        NotTrainable: too few rows, the layout names no columns to train on, or data that leaks
            (`LeakFound`).
        SourceUnreadable, LayoutInvalid: the file does not match the layout.
    """
    run = Run(settings, without_warmup(config), progress, tabular=True, **options)

    def dataset() -> tuple[Dataset, Measured | None]:
        run.guard(lambda: inspect_layout(layout))
        measurer = TableMeasurer(layout)
        with run.watch.stage("features"):
            unreadable: list[Finding] = []
            table = read_table(
                path,
                layout,
                lambda n, of: progress("features", n, of),
                lambda sentence: unreadable.append(Finding("warn", "unreadable-cells", sentence)),
                measurer.add,
            )
        if unreadable:
            run.guard(lambda: unreadable)
        return table, measurer.measured()

    source = provenance(layout.name, path.absolute().as_uri())
    return run_stages(run, dataset, layout, CHAMPION, None, source)


def run_stages(
    run: Run,
    read: Callable[[], tuple[Dataset, Measured | None]],
    layout: Layout | None,
    role: str,
    activate: Callable[[Plan], Offered] | None,
    source: Provenance,
) -> TrainingReport:
    """The stages that history and files share: split, fit, calibrate, judge, publish.

    Args:
        read: reads the data and runs the leak guard's rounds on it; measures what it looks like if
            the run leaves a reference.
        layout: of the file that is read; the models are named after it, and it is kept with the
            run. None for a tenant's history.
        activate: stores the plan as the active one; None if the plan must not change.
    """
    settings, store = run.settings, store_of(run.settings)
    set_name = None if layout is None else layout.name
    names = [table_variant(set_name, variant) for variant in run.config.variants]

    def check() -> None:
        if role == CHAMPION and not run.for_every_tenant:
            learnt = dict.fromkeys(names, settings.tenant)
            require_own_payments(store, run.owner, settings.home_tenant, learnt)

    check()
    if run.predictions is not None:
        require_writable(run.predictions)
    # Taken before anything is read: labels that arrive meanwhile are new to the next run.
    as_of = moment(time.time())
    # MLflow takes seconds to import and to create its tables, so data is read at the same time.
    with ThreadPoolExecutor(1, thread_name_prefix="registry") as background:
        registry = background.submit(Registry, settings.tracking_uri, settings.home / "mlruns")
        dataset, measured = read()
        check_declared(dataset, run.config.honest)
        split = split_by_time(
            dataset.timestamp_ms, dataset.label, dataset.known_at_ms, run.config.split
        )
        run.guard(lambda: inspect_dataset(dataset, split, run.config.seed))
        fitted_run = _fit_plan(_fit(dataset, split, run), dataset, run)
        fitted_run = fitted_run if set_name is None else renamed_for_table(fitted_run, set_name)
        run.guard(lambda: inspect_models(fitted_run, run.config.seed))
        with run.watch.stage("report"):
            run.progress("report", 0, 1)
            if run.predictions is not None:
                write_predictions(run.predictions, fitted_run)
            results = results_of(fitted_run, run.watch.seconds, run.findings.all)
            run.progress("report", 1, 1)
        forced = require_skill(results, run.force) if role == CHAMPION else ""
        with run.watch.stage("publish"):
            run.progress("publish", 0, 1)
            to = Destination(
                store=store,
                registry=registry.result(),
                role=role,
                lock=lambda: registry_lock(settings),
                activate=activate,
                active=lambda: active_of(settings, run.owner),
                tags={"tenant": settings.tenant, "as_of": as_of, **run.findings.tags()}
                | ({"forced": forced} if forced else {}),
                forced=forced,
                provenance=source,
                check=check,
                owner=run.owner,
                layout=None if layout is None else layout.digest_text,
                leave=leaver(
                    results,
                    measured,
                    owner=run.owner,
                    tenant=settings.tenant,
                    created_at=as_of,
                ),
            )
            published = publish_run(results, to, run.recipe)
            reference = list_reference(settings, published.reference, store)
            run.progress("publish", 1, 1)
    folder = settings.home / "reports"
    return report_of(results, published, folder, run.watch.seconds, reference)


def _fit(dataset: Dataset, split: Split, run: Run) -> _FittedVariants:
    """Fit every variant. The leak guard has passed the data before."""
    config = run.config
    storage = run_storage_of(run.settings, run.ray_address)
    with run.watch.stage("fit"):
        if run.cross_fits:
            return _cross_fit(dataset, split, run, storage)
        sample = sample_rows(dataset, split.train, split.validation, config)
        if run.fits_here:
            return _FittedVariants(fit_in_process(sample, config), split, config)
        total, done = len(config.variants), 0

        def count(_: str) -> None:
            nonlocal done
            done += 1
            run.progress("fit", done, total)

        with ray_session(run.ray_address, _bytes(sample)):
            found = _search(sample, run, storage)
            run.progress("fit", 0, total)
            models = fit_on_ray(sample, found.config, storage, count)
        return _FittedVariants(models, split, found.config, found.trials)


def _cross_fit(dataset: Dataset, split: Split, run: Run, storage: RunStorage) -> _FittedVariants:
    split = cross_split(dataset, split)
    with ExitStack() as stack:
        chosen, fit = SearchResult(run.config, ()), fit_in_process
        if not run.fits_here:
            rows = min(split.train.size, run.config.max_training_rows) + split.train.size // 2
            size = rows * len(dataset.schema) * 4
            stack.enter_context(ray_session(run.ray_address, size))
            fit = partial(fit_on_ray, storage=storage, fitted=lambda _: None)
        if run.config.search.has_budget:
            # The newest fold and the rows before it are closest to the payments to come.
            sample = sample_rows(dataset, *cut(dataset, split.train, run.config)[-1], run.config)
            chosen = _search(sample, run, storage)
        found = crossfit(
            dataset,
            split.train,
            chosen.config,
            fit,
            lambda done, total: run.progress("fit", done, total),
        )
    held = with_held_back(split, dataset, found.rows)
    return _FittedVariants(found.models, held, chosen.config, chosen.trials, found.raw)


def _search(sample: Sample, run: Run, storage: RunStorage) -> SearchResult:
    """The configuration to fit with: the result of a search, if one is configured."""
    if not run.config.search.has_budget:
        return SearchResult(run.config, ())
    return search(
        ray.put(sample), run.config, storage, lambda done, of: run.progress("search", done, of)
    )


def _bytes(sample: Sample) -> int:
    return int(sample.x_train.nbytes + sample.x_validation.nbytes)


def _fit_plan(fitted: _FittedVariants, dataset: Dataset, run: Run) -> FittedRun:
    split = fitted.split
    with run.watch.stage("judge"):
        run.progress("judge", 0, 2)
        models = calibrate_models(fitted.models, dataset, split, fitted.held_back)
        run.progress("judge", 1, 2)
        plan_fit = fit_and_score_plan(models, dataset, split, fitted.config)
        run.progress("judge", 2, 2)
    return FittedRun(dataset, split, fitted.config, models, plan_fit, fitted.trials)
