"""What the fronts of bulk scoring stand on."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest

from serve_app.jobs.backend import Backend, new_job_id, now_ms, open_backend
from settings.settings import Settings
from tests.contracts.job_front import JobFront


async def nothing() -> None:
    return None


async def test_without_a_pepper_nothing_is_opened() -> None:
    with pytest.raises(ValueError, match="QUORUM_KEY_PEPPER"):
        await open_backend(Settings(key_pepper=None), nothing)


def test_ids_are_of_now_and_of_version_7() -> None:
    before = now_ms()
    found = new_job_id()
    assert found.version == 7
    assert before <= found.int >> 80 <= now_ms()
    assert new_job_id() != found


async def test_an_app_that_ends_stops_everything(tmp_path: Path) -> None:
    front = JobFront(tmp_path)
    keys, executor, pools = AsyncMock(), AsyncMock(), (Mock(), Mock())
    authenticate = front.services.authenticate
    backend = Backend(authenticate, front.jobs, "pepper", keys, executor, pools)
    async with backend.lifespan(None):
        assert not keys.close.called
        assert not executor.close.called
        assert not pools[0].terminate.called
    keys.close.assert_awaited_once_with()
    executor.close.assert_awaited_once_with()
    for pool in pools:
        pool.terminate.assert_called_once_with()
