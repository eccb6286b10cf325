"""`quorum plan` on a real PostgreSQL and artifacts on disk."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from features.definitions import SCHEMA_ID
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.plan_commands import Quorum


@pytest.fixture
def quorum(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    database_url: str,
    _empty: None,
) -> Quorum:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("QUORUM_DASHBOARD_PORT", "9")  # no node runs
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # Ray reads a token once and for all
    for name in ("xgboost", "logistic"):
        made = tiny_artifact(tmp_path / "artifacts", name, n_features=4, schema_id=SCHEMA_ID)
        point_alias(tmp_path / "artifacts", name, *made)
    return Quorum(tmp_path, capsys, database_url)


@pytest.fixture
async def _empty(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE plans, activations")
    await connection.close()
