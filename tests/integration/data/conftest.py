"""Payments of a generated world, and the database that they are loaded into."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from data.generator import GeneratorSpec, write

DAY_MS = 86_400_000


END_MS = 20_000 * DAY_MS


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("world") / "world.parquet"
    write(GeneratorSpec(200, END_MS - 40 * DAY_MS, END_MS, seed=5, fraud_share=0.03), path)
    return path


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE transactions, labels, load_progress, decisions")
    yield connection
    await connection.close()
