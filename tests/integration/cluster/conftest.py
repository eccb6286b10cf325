"""What tests of several parts of the command line need."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """To a database without API keys."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE api_keys")
    yield connection
    await connection.close()
