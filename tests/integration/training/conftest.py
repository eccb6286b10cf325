"""One MLflow for all tests of the registry: its migrations on SQLite take seconds."""

from __future__ import annotations

import pytest

from training.registry.mlflow_registry import Registry


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("mlflow")
    return Registry(f"sqlite:///{folder / 'mlflow.db'}", folder / "mlruns")
