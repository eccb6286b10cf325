"""The benchmark of matching."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.bench.offline.matching.__main__ import main


def test_without_sets_there_is_nothing_to_measure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", str(tmp_path / "none")]) == 0
    assert "nothing to measure" in capsys.readouterr().out
