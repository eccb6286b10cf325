"""The layout of small files of payments."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contracts.payment_files import LAYOUT


@pytest.fixture
def layout(tmp_path: Path) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(LAYOUT)
    return str(path)
