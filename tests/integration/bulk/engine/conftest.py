"""What tests of runners share: a table without jobs, and a store of files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from bulk.jobs.store import JobStore
from stores.postgres.connect import open_pool


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(database_url, size=4, timeout_s=10.0)
    await pool.execute("DELETE FROM jobs")
    yield pool
    await pool.close()


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "jobs")
