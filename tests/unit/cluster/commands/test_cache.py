"""`quorum cache`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.cli import run


def test_it_says_how_much_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "features-1.npy").write_bytes(b"x" * 4_096)
    assert run(["cache", "clear", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"artifacts": 0, "matrices": 1, "bytes": 4_096}
    assert run(["cache", "clear"]) == 0
    assert "0 artifacts and 0 feature matrices removed" in capsys.readouterr().out
    assert run(["cache", "clear", "../x"]) == 2
    assert "not the name of a variant" in capsys.readouterr().err
