"""What tests of jobs share: a table without jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from stores.postgres.connect import open_pool


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    pool = await open_pool(database_url, size=4, timeout_s=10.0)
    await pool.execute("DELETE FROM jobs")
    yield pool
    await pool.close()
