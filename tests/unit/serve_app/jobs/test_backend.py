"""What the fronts of bulk scoring stand on."""

from __future__ import annotations

import pytest

from serve_app.jobs.backend import new_job_id, now_ms, open_backend
from settings.settings import Settings


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
