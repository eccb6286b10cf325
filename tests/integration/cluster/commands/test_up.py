"""`quorum up --stores`: real stores and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.cli import run


def test_the_stores_are_enough_for_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    assert run(["up", "--stores", "--foreground"]) == 2
    try:
        assert run(["up", "--stores", "--json"]) == 0
        up = json.loads(capsys.readouterr().out)
        assert up == {"stores": {"PostgreSQL": "embedded", "Redis": "embedded"}}
        assert run(["up", "--stores"]) == 0  # again: what is up is used
        assert run(["keys", "create", "--name", "shop", "--json"]) == 0
        assert run(["down"]) == 0
        assert "stopped" in capsys.readouterr().out
    finally:
        run(["down"])
