"""Training on a file that was understood: a table, or the history of its customers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Unpack

from data.layout.layout import Layout
from data.load.payment_file import PaymentFile
from data.load.payment_reader import read_payments
from data.rows.rejections import reason_told
from features.definitions import SCHEMA_ID
from fraud.errors import NotTrainable
from fraud.variant import HOUSE
from models.store.alias import CHAMPION
from models.store.location import store_of
from settings.settings import Settings
from training.auto.unclear import Unclear
from training.auto.understanding import Understanding
from training.config import TrainConfig
from training.finding import Finding
from training.fit.fitted_run import table_variant
from training.guard.guard import inspect_layout
from training.pipeline import replayed, run_stages, train_tabular
from training.progress import Progress, quiet
from training.reference.measured import Measured, measured_payments, reference_name
from training.registry.provenance import provenance
from training.report import TrainingReport
from training.run import Run, RunOptions
from training.sets.dataset import Dataset
from training.sets.schema import FeatureSchema


def train_file(
    settings: Settings,
    found: Understanding,
    path: Path,
    config: TrainConfig,
    progress: Progress = quiet,
    **options: Unpack[RunOptions],
) -> TrainingReport:
    """Train every variant on a file. No plan that serves and no model of another set changes.

    The models are registered as champions named `<name>-<variant>`. Without a search the fits need
    no Ray.

    Args:
        found: what the file is.
        config: with a budget under `search`, parameters are searched first. Unless it says
            otherwise, a file with few frauds gets one slice for validation and calibration.
        options: see `training.run.RunOptions`.

    Raises:
        Unclear: the name belongs to models of other columns.
        NoSkill, NotTrainable, LeakFound, OtherTenant: see `training.pipeline.train`.
        SourceUnreadable: the file is damaged, or a row has no time or an unknown label.
    """
    owner = HOUSE if options.get("for_every_tenant") else settings.owner
    require_free_name(settings, owner, found, config)
    config = _sharing(config)
    train = train_tabular if found.kind == "tabular" else train_payments
    return train(settings, found.layout, path, config, progress, **options)


def train_payments(
    settings: Settings,
    layout: Layout,
    path: Path,
    config: TrainConfig,
    progress: Progress = quiet,
    **options: Unpack[RunOptions],
) -> TrainingReport:
    """Train every variant on the payments of a file, with the features of their history. No row
    goes into the database, and no plan that serves changes.

    The models are registered as champions named `<layout>-<variant>`.

    Args:
        layout: maps the columns to the fields of a payment, and has a label.
        options: see `training.run.RunOptions`.

    Raises:
        See `train_file`.
    """
    run = Run(settings, config, progress, one_file=True, **options)
    source = provenance(layout.name, path.absolute().as_uri())
    return run_stages(run, lambda: _history(run, layout, path), layout, CHAMPION, None, source)


def _sharing(config: TrainConfig) -> TrainConfig:
    if "shared_calibration" in config.split.model_fields_set:
        return config
    split = config.split.model_copy(update={"shared_calibration": True})
    return config.model_copy(update={"split": split})


def require_free_name(
    settings: Settings, owner: str, found: Understanding, config: TrainConfig
) -> None:
    """Require that a set's name is new, or that of models of the same columns.

    Raises:
        Unclear: it names models of other columns, or the tenant's own.
    """
    other = "--name NAME gives this one a name of its own"
    if found.name == reference_name(settings.tenant):
        raise Unclear(f"{found.name} is the reference of this tenant's own payments", other)
    store = store_of(settings)
    for variant in config.variants:
        name = table_variant(found.name, variant)
        alias = store.alias(name, CHAMPION, owner)
        if alias is None:
            continue
        manifest, _ = store.manifest(name, alias.version)
        if manifest.schema_id != _schema_id(found):
            raise Unclear(f"{found.name} names models of other columns already", other)


def _schema_id(found: Understanding) -> str:
    fields = found.layout.tabular
    if fields is None:
        return SCHEMA_ID
    names = (*fields.numeric, *fields.categorical)
    return FeatureSchema.tabular(names, range(len(fields.numeric), len(names))).schema_id


def _history(run: Run, layout: Layout, path: Path) -> tuple[Dataset, Measured]:
    """The features of the file's payments, replayed in the order of time."""
    if layout.label is None:
        raise NotTrainable(f"layout {layout.name} names no label")
    run.guard(lambda: inspect_layout(layout))
    with run.watch.stage("history"):
        payments = read_payments(
            path,
            layout,
            progress=lambda rows, share: run.progress("history", rows, round(rows / share)),
        )
        history = payments.history(run.settings.tenant)
    refused = _refused(payments)
    if refused:
        run.guard(lambda: refused)
    measured = measured_payments(run.settings.tenant, history.batch)
    measured = replace(measured, name=reference_name(layout.name), label=layout.label.column)
    return replayed(run, history), measured


def _refused(payments: PaymentFile) -> list[Finding]:
    """A warning if rows of the file are no payments."""
    if not payments.bad:
        return []
    why = "; ".join(map(reason_told, payments.reasons[:3]))
    sentence = f"{payments.bad:,} of {payments.rows:,} rows are not used: {why}"
    return [Finding("warn", "unreadable-cells", sentence)]
