"""What tests of runners share: a store of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from bulk.jobs.store import JobStore


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "jobs")
