"""The MLflow registry: training runs, model versions and aliases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraud.errors import NotFound, SettingInvalid

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

EXPERIMENT = "quorum"
TRAINING = {"kind": "training"}
"""The tags of a run that trained all variants."""
PLAN_FILE = "plan.json"
_PREFIX = "quorum-"
_PARAMETER_LENGTH = 500
_BATCH = 1000
"""The most metrics that MLflow accepts in one call."""
_PAGE = 500
"""The most entries in one response of MLflow; `_pages` reads all pages."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A version of a registered model.

    Attributes:
        number: MLflow's, ascending.
        digest: of the artifact.
        run_id: the whole training run that it came from; "" if unknown.
        registered_at_ms: when, milliseconds since 1970.
    """

    variant: str
    number: int
    digest: str
    run_id: str
    registered_at_ms: int


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A finished training run.

    Attributes:
        tags: e.g. `schema_id`, `tenant`, `as_of`.
    """

    run_id: str
    tags: dict[str, str]


_PACKAGES = {"psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}
"""Packages whose name differs from their module."""


class Registry:
    """Runs, and registered models named `quorum-<variant>`. Opening the registry takes seconds:
    MLflow is slow to import, and a new SQLite file runs through all its migrations.

    Args:
        tracking_uri: of MLflow.
        files: where a new experiment on SQLite keeps its files.

    Raises:
        SettingInvalid: the driver of the database is not installed.
    """

    def __init__(self, tracking_uri: str, files: Path) -> None:
        # No telemetry leaves this machine.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("DO_NOT_TRACK", "true")
        # A server's client prints the address of each run that ends, also amid `--json`.
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
        if tracking_uri.startswith("sqlite:///"):
            Path(tracking_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        import logging

        from mlflow import MlflowClient

        # After the import, which sets its own levels. Migrations log every table.
        for name in ("mlflow", "mlflow.store.db.utils", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self.tracking_uri = tracking_uri
        try:
            self._client: MlflowClient = MlflowClient(tracking_uri, tracking_uri)
            self._experiment_id = self._experiment(files if _is_local(tracking_uri) else None)
        except ModuleNotFoundError as error:
            raise SettingInvalid(
                "QUORUM_MLFLOW_TRACKING_URI",
                f"MLflow needs {error.name} for this database, which is not installed",
                f"pip install {_PACKAGES.get(str(error.name), error.name)}, or name an MLflow"
                " server by http://",
            ) from error

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[Run]:
        """A run that ends as FINISHED or, if the block fails, as FAILED or KILLED."""
        run = self._client.create_run(self._experiment_id, run_name=name, tags=dict(tags))
        status = "KILLED"
        try:
            yield run
            status = "FINISHED"
        except Exception:
            status = "FAILED"
            raise
        finally:
            self._client.set_terminated(run.info.run_id, status)

    def log(self, run: Run, parameters: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """Log the parameters and figures of a run."""
        import time

        from mlflow.entities import Metric, Param

        now_ms = int(time.time() * 1000)
        self._client.log_batch(
            run.info.run_id,
            metrics=[Metric(name, value, now_ms, 0) for name, value in metrics.items()],
            params=[Param(k, str(v)[:_PARAMETER_LENGTH]) for k, v in parameters.items()],
        )

    def log_curve(self, run: Run, name: str, values: Sequence[float]) -> None:
        """Log a figure that has a value at each step: `values[i]` at step i + 1."""
        import time

        from mlflow.entities import Metric

        now_ms = int(time.time() * 1000)
        metrics = [Metric(name, float(v), now_ms, step) for step, v in enumerate(values, 1)]
        for start in range(0, len(metrics), _BATCH):
            self._client.log_batch(run.info.run_id, metrics=metrics[start : start + _BATCH])

    def log_data(self, run: Run, data: DatasetInput) -> None:
        """Log the data that a run was trained on."""
        self._client.log_inputs(run.info.run_id, [data])

    def log_folder(self, run: Run, folder: Path, name: str) -> None:
        """Copy a folder's files into the run as `name`."""
        self._client.log_artifacts(run.info.run_id, str(folder), name)

    def log_text(self, run: Run, text: str, name: str) -> None:
        """Store a text in a run as the file `name`."""
        self._client.log_text(run.info.run_id, text, name)

    def log_document(self, run: Run, document: Mapping[str, Any], name: str) -> None:
        """Store a JSON document in a run as the file `name`."""
        self._client.log_dict(run.info.run_id, dict(document), name)

    def register(self, run: Run, variant: str, tags: Mapping[str, str], path: str) -> str:
        """Register the run's files at `path` as the newest version of `quorum-<variant>`.

        Returns:
            MLflow's number of the version, which no alias names yet.
        """
        name = model_name(variant)
        from mlflow.exceptions import MlflowException

        try:
            self._client.get_registered_model(name)
        except MlflowException:
            self._client.create_registered_model(name)
        version = self._client.create_model_version(
            name,
            source=f"{run.info.artifact_uri}/{path}",
            run_id=run.info.run_id,
            tags=dict(tags),
        )
        return str(version.version)

    def withdraw(self, variant: str, version: str) -> None:
        """Delete a version of an unfinished training, which no alias names."""
        self._client.delete_model_version(model_name(variant), version)

    def set_alias(self, variant: str, alias: str, version: str) -> None:
        """Point `quorum-<variant>@<alias>` to a version."""
        self._client.set_registered_model_alias(model_name(variant), alias, version)

    def aliases(self) -> dict[str, dict[str, int]]:
        """Variant -> alias -> number of its version."""
        return {
            model.name.removeprefix(_PREFIX): {a: int(v) for a, v in model.aliases.items()}
            for model in _pages(
                self._client.search_registered_models, filter_string=f"name LIKE '{_PREFIX}%'"
            )
        }

    def versions(self, variant: str | None = None) -> list[Registered]:
        """The versions of a variant, or of all variants, oldest first, without those of unfinished
        trainings."""
        cut_off = {run.run_id for run in self._runs("!= 'FINISHED'")}
        return [v for v in self._all_versions(variant) if v.run_id not in cut_off]

    def versions_of(self, run_id: str) -> list[Registered]:
        """The versions that a training run registered, by variant; [] unless it finished."""
        if next(self._runs("= 'FINISHED'", f"attributes.run_id = {_quoted(run_id)}"), None) is None:
            return []
        return self._all_versions(None, f"tags.run = {_quoted(run_id)}")

    def newest_run(self, tags: Mapping[str, str]) -> TrainingRun | None:
        """The training run with these tags that finished last; None without one."""
        wanted = [f"tags.{name} = {_quoted(value)}" for name, value in tags.items()]
        return next(self._runs("= 'FINISHED'", *wanted), None)

    def document(self, run_id: str, name: str) -> dict[str, Any]:
        """A JSON document of a run.

        Raises:
            NotFound: there is no such run, or it has no such document.
        """
        import json
        import tempfile

        from mlflow.exceptions import MlflowException

        with tempfile.TemporaryDirectory(prefix="quorum-") as folder:
            try:
                path = self._client.download_artifacts(run_id, name, folder)
                found: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
            except (MlflowException, OSError, ValueError) as error:
                raise NotFound(f"the training run {run_id} has no {name}") from error
        return found

    def sweep(self, mine: str) -> None:
        """Withdraw the versions of trainings that were killed while registering. The caller must
        hold the lock for registering.

        Args:
            mine: the run that is registering now.
        """
        left = {run.run_id for run in self._runs("!= 'FINISHED'")} - {mine}
        abandoned = [v for v in self._all_versions(None) if v.run_id in left]
        for version in abandoned:
            self.withdraw(version.variant, str(version.number))
        for run_id in {version.run_id for version in abandoned}:
            self._client.set_terminated(run_id, "KILLED")

    def _runs(self, status: str, *conditions: str) -> Iterator[TrainingRun]:
        """Training runs of this status, the last ended first."""
        kind = " AND ".join(f"tags.{name} = {_quoted(value)}" for name, value in TRAINING.items())
        found = _pages(
            self._client.search_runs,
            experiment_ids=[self._experiment_id],
            filter_string=" AND ".join((kind, f"attributes.status {status}", *conditions)),
            order_by=["attributes.end_time DESC", "attributes.start_time DESC"],
        )
        for run in found:
            yield TrainingRun(run.info.run_id, dict(run.data.tags))

    def _all_versions(self, variant: str | None, *conditions: str) -> list[Registered]:
        named = f"name LIKE '{_PREFIX}%'" if variant is None else f"name = '{model_name(variant)}'"
        found = [
            Registered(
                variant=v.name.removeprefix(_PREFIX),
                number=int(v.version),
                digest=v.tags.get("digest", ""),
                run_id=v.tags.get("run", ""),
                registered_at_ms=int(v.creation_timestamp or 0),
            )
            for v in _pages(
                self._client.search_model_versions,
                filter_string=" AND ".join((named, *conditions)),
            )
        ]
        return sorted(found, key=lambda v: (v.variant, v.number))

    def _experiment(self, files: Path | None) -> str:
        from mlflow.exceptions import MlflowException

        for _ in range(2):
            found = self._client.get_experiment_by_name(EXPERIMENT)
            if found is not None:
                return str(found.experiment_id)
            try:
                location = None if files is None else files.absolute().as_uri()
                return str(self._client.create_experiment(EXPERIMENT, artifact_location=location))
            except MlflowException:
                continue  # another process created it at the same time
        raise RuntimeError(f"MLflow can neither find nor create the experiment {EXPERIMENT}")


def _pages(search: Callable[..., Any], **wanted: Any) -> Iterator[Any]:
    """All results of an MLflow search, page by page."""
    token = None
    while True:
        page = search(**wanted, max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _quoted(value: str) -> str:
    """A string literal of MLflow's filter language, which has no escapes.

    Raises:
        NotFound: the text contains a quote, which no name of ours does.
    """
    if "'" in value:
        raise NotFound(f"a name in the registry contains no quote: {value!r}")
    return f"'{value}'"


def model_name(variant: str) -> str:
    """The name of a variant's registered model."""
    return f"{_PREFIX}{variant}"


def _is_local(tracking_uri: str) -> bool:
    return tracking_uri.startswith(("sqlite:", "file:", "/"))
