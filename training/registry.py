"""MLflow: what was run on what, and which version is champion."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

EXPERIMENT = "quorum"
_PARAMETER_LENGTH = 500


class Registry:
    """Runs and registered models `quorum-<variant>`. Opening one takes seconds: MLflow is large
    to import, and a new SQLite file gets all its tables one migration after another.

    Args:
        tracking_uri: MLflow's.
        files: where a new experiment on SQLite keeps its files.
    """

    def __init__(self, tracking_uri: str, files: Path) -> None:
        # Nothing is told to anybody about what is trained here.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("DO_NOT_TRACK", "true")
        if tracking_uri.startswith("sqlite:///"):
            Path(tracking_uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        import logging

        from mlflow import MlflowClient

        # After the import, which sets levels of its own: table by table is not news.
        for name in ("mlflow", "mlflow.store.db.utils", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._client: MlflowClient = MlflowClient(tracking_uri, tracking_uri)
        self._experiment_id = self._experiment(files if _is_local(tracking_uri) else None)

    @contextmanager
    def run(self, name: str, tags: Mapping[str, str]) -> Iterator[Run]:
        """A run that ends as FINISHED, or as FAILED or KILLED with the block."""
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
        """Log parameters and figures of a run."""
        import time

        from mlflow.entities import Metric, Param

        now_ms = int(time.time() * 1000)
        self._client.log_batch(
            run.info.run_id,
            metrics=[Metric(name, value, now_ms, 0) for name, value in metrics.items()],
            params=[Param(k, str(v)[:_PARAMETER_LENGTH]) for k, v in parameters.items()],
        )

    def log_folder(self, run: Run, folder: Path, name: str) -> None:
        """Copy a folder's files into the run as `name`."""
        self._client.log_artifacts(run.info.run_id, str(folder), name)

    def register(self, run: Run, variant: str, tags: Mapping[str, str], path: str) -> str:
        """Make what the run holds at `path` the newest version of `quorum-<variant>`.

        Returns:
            MLflow's number of the version. No alias names it yet.
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
        """Delete a version that no alias names: its training did not come to its end."""
        self._client.delete_model_version(model_name(variant), version)

    def set_alias(self, variant: str, alias: str, version: str) -> None:
        """Let `quorum-<variant>@<alias>` name a version."""
        self._client.set_registered_model_alias(model_name(variant), alias, version)

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
                continue  # somebody made it at the same moment
        raise RuntimeError(f"MLflow neither has nor makes the experiment {EXPERIMENT}")


def model_name(variant: str) -> str:
    """Name of a variant's registered model."""
    return f"quorum-{variant}"


def _is_local(tracking_uri: str) -> bool:
    return tracking_uri.startswith(("sqlite:", "file:", "/"))
