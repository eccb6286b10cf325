"""The choice of the file to play."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.history import history_file


def test_a_named_file_comes_first(tmp_path: Path) -> None:
    named = tmp_path / "mine.parquet"
    named.touch()
    assert history_file(tmp_path, {"QUORUM_LOAD_FILE": str(named)}) == named
    with pytest.raises(FileNotFoundError, match="QUORUM_LOAD_FILE"):
        history_file(tmp_path, {"QUORUM_LOAD_FILE": str(tmp_path / "none")})


def test_then_the_one_that_up_has_made(tmp_path: Path) -> None:
    made = tmp_path / "data" / "history.parquet"
    made.parent.mkdir()
    made.touch()
    assert history_file(tmp_path, {}) == made
