"""`quorum references populate` where nothing is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.cli import run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))


def test_a_dry_run_says_what_would_be_trained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen = ["--only", "wallet-topups-1", "--only", "ulb"]
    arguments = ["references", "populate", "--dry-run", "--data", str(tmp_path), "--json"]
    assert run([*arguments, *chosen]) == 0
    found = json.loads(capsys.readouterr().out)["references"]
    assert [(one["name"], one["state"]) for one in found] == [
        ("ulb", "no data"),
        ("wallet-topups-1", "to train"),
    ]
    assert not (tmp_path / "home" / "artifacts").exists()


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["references", "populate", "--only", "ulbs"]) == 2
    assert "no recipe ulbs: expected one of ulb, paysim" in capsys.readouterr().err
