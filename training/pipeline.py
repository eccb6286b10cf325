"""`quorum train`: history -> features -> split -> fit -> judge -> publish."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version as version_of_package
from typing import Any, Protocol

import numpy as np

from features.definitions import CATEGORICAL, NAMES
from fraud.artifact import version_of
from fraud.errors import NotTrainable
from fraud.plan import Plan
from fraud.settings import Settings
from training.config import BASELINE, TrainConfig
from training.data.history import History, read_history
from training.dataset import Dataset, build_dataset, newest_payment_ms
from training.fitting import fit_variants
from training.judge import Judged, judge_ensemble, judge_variants
from training.plans import activate_plan
from training.publish import Published, publish
from training.ray_session import ray_session
from training.registry import Registry
from training.report import TrainingReport, VariantReport
from training.sample import Sample, draw_sample
from training.split import DAY_MS, FRAUD, Split, split_by_time

LIBRARIES = ("numpy", "onnx", "onnxruntime", "ray", "scikit-learn", "treelite", "xgboost")


class Progress(Protocol):
    """Told where a training run is."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Args:
        stage: `history`, `features`, `fit`, `judge` or `publish`.
        done, total: rows, models or steps of the stage; done == total: the stage has ended.
        """
        ...


def quiet(stage: str, done: int, total: int) -> None:
    """Progress that tells nobody."""


def train(
    settings: Settings,
    config: TrainConfig,
    progress: Progress = quiet,
    *,
    ray_address: str | None = None,
) -> TrainingReport:
    """Train every variant on the tenant's history and make the result count.

    Blocks; must not be called from a running event loop. Interrupted at any moment it leaves the
    models and the plan that served before.

    Args:
        settings: database, artifacts, registry, tenant; `database_url` must be set.
        config: what to train.
        progress: told how far it is, from this thread.
        ray_address: of a running Ray; None for a private one on this machine, stopped at the end.

    Raises:
        NotTrainable: too little history, or no database.
        OSError, asyncpg.PostgresError: the database does not answer.
    """
    if settings.database_url is None:
        raise NotTrainable("no database: set DATABASE_URL, or start Quorum with `quorum up`")
    database_url = settings.database_url.get_secret_value()
    watch = _Stopwatch()
    # MLflow takes seconds to import and to make its tables: meanwhile history is read.
    with ThreadPoolExecutor(1, thread_name_prefix="registry") as background:
        registry = background.submit(Registry, settings.tracking_uri, settings.home / "mlruns")
        with watch.stage("history"):
            progress("history", 0, 1)
            history = asyncio.run(_history(database_url, settings.tenant, config))
            progress("history", 1, 1)
        with watch.stage("features"):
            dataset = build_dataset(
                history, settings.home / "cache", lambda n, of: progress("features", n, of)
            )
            split = split_by_time(
                dataset.timestamp_ms, dataset.label, dataset.known_at_ms, config.split
            )
            del history
        with watch.stage("fit"):
            models = _fit(dataset, split, config, settings, progress, ray_address)
        with watch.stage("judge"):
            progress("judge", 0, 2)
            judged = judge_variants(models, dataset, split)
            progress("judge", 1, 2)
            plan, ensemble = judge_ensemble(judged, dataset, split, config)
            progress("judge", 2, 2)
        with watch.stage("publish"):
            progress("publish", 0, 1)
            published = _publish(
                judged, plan, ensemble, dataset, split, config, settings, registry, database_url
            )
            progress("publish", 1, 1)
    return _report(judged, ensemble, published, dataset, split, config, watch.seconds)


async def _history(database_url: str, tenant: str, config: TrainConfig) -> History:
    since_ms = None
    if config.history_days is not None:
        newest_ms = await newest_payment_ms(database_url, tenant)
        if newest_ms is not None:
            since_ms = newest_ms - round(config.history_days * DAY_MS)
    return await read_history(database_url, tenant, since_ms=since_ms)


def _fit(
    dataset: Dataset,
    split: Split,
    config: TrainConfig,
    settings: Settings,
    progress: Progress,
    ray_address: str | None,
) -> dict[str, Any]:
    total = len(config.variants)
    progress("fit", 0, total)
    sample = draw_sample(
        dataset.values,
        dataset.label,
        split,
        NAMES,
        tuple(NAMES.index(name) for name in CATEGORICAL),
        config.max_training_rows,
        config.seed,
    )
    done = 0

    def fitted(_: str) -> None:
        nonlocal done
        done += 1
        progress("fit", done, total)

    storage = (settings.home / "cache" / "ray-train").absolute()
    storage.mkdir(parents=True, exist_ok=True)
    with ray_session(ray_address, _bytes(sample)):
        return fit_variants(sample, config, storage, fitted)


def _bytes(sample: Sample) -> int:
    return int(sample.x_train.nbytes + sample.x_validation.nbytes)


def _publish(
    judged: dict[str, Judged],
    plan: Plan,
    ensemble: dict[str, float],
    dataset: Dataset,
    split: Split,
    config: TrainConfig,
    settings: Settings,
    registry: Future[Registry],
    database_url: str,
) -> Published:
    rows, frauds = _counts(dataset, split)
    return publish(
        judged,
        plan,
        schema_id=dataset.schema_id,
        training={
            "seed": config.seed,
            "window": _window(split),
            "rows": rows,
            "frauds": frauds,
            "libraries": {name: version_of_package(name) for name in LIBRARIES},
        },
        ensemble=ensemble,
        root=settings.artifacts,
        registry=registry.result(),
        activate=lambda p: asyncio.run(activate_plan(database_url, p)),
    )


def _report(
    judged: dict[str, Judged],
    ensemble: dict[str, float],
    published: Published,
    dataset: Dataset,
    split: Split,
    config: TrainConfig,
    seconds: dict[str, float],
) -> TrainingReport:
    rows, frauds = _counts(dataset, split)
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
        for name, model in judged.items()
    )
    return TrainingReport(
        variants=variants,
        ensemble=ensemble,
        plan=published.plan,
        baseline=BASELINE if BASELINE in judged else None,
        rows=rows,
        frauds=frauds,
        window=_window(split),
        schema_id=dataset.schema_id,
        seed=config.seed,
        seconds=seconds,
    )


def _counts(dataset: Dataset, split: Split) -> tuple[dict[str, int], dict[str, int]]:
    parts = {"train": split.train, "validation": split.validation, "test": split.test}
    rows = {"history": len(dataset.label), **{k: int(v.size) for k, v in parts.items()}}
    frauds = {k: int((dataset.label[v] == FRAUD).sum()) for k, v in parts.items()}
    return rows, {"history": int((np.asarray(dataset.label) == FRAUD).sum()), **frauds}


def _window(split: Split) -> dict[str, str]:
    b = split.bounds
    return {
        name: datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
        for name, at in (
            ("history_start", b.history_start_ms),
            ("train_start", b.train_start_ms),
            ("train_end", b.train_end_ms),
            ("validation_start", b.validation_start_ms),
            ("validation_end", b.validation_end_ms),
            ("test_start", b.test_start_ms),
            ("test_end", b.test_end_ms),
        )
    }


class _Stopwatch:
    """Seconds by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - started, 2)
