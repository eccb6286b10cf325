"""The registry of tests keeps the contract of registries."""

from __future__ import annotations

import pytest

from tests.contracts.fake_registry import FakeRegistry
from tests.contracts.registry import (
    Subject,
    check_that_entries_come_and_go,
    check_that_only_fresh_entries_are_returned,
)


@pytest.fixture
def subject() -> Subject:
    now = [0.0]

    async def pass_s(seconds: float) -> None:
        now[0] += seconds

    return Subject(FakeRegistry(lambda: now[0]), pass_s)


async def test_entries_come_and_go(subject):
    await check_that_entries_come_and_go(subject)


async def test_only_fresh_entries_are_returned(subject):
    await check_that_only_fresh_entries_are_returned(subject)
