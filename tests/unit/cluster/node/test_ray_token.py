"""The token: made or found, and sent to the dashboard as the installed Ray sends it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from cluster.errors import CommandFailed
from cluster.node import ray_token


def environment(path: Path) -> dict[str, str]:
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_missing_token_is_made_for_this_user_alone(tmp_path: Path) -> None:
    ray_token.provide(environment(tmp_path / "ray" / "token"))
    assert len((tmp_path / "ray" / "token").read_text()) == 64
    assert mode(tmp_path / "ray" / "token") & 0o077 == 0


def test_a_token_that_others_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(0o644)
    ray_token.provide(environment(tmp_path / "token"))
    assert mode(tmp_path / "token") == 0o600


def test_a_token_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("secret")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(CommandFailed, match="belongs to uid"):
        ray_token.provide(environment(tmp_path / "token"))


def test_a_token_that_is_mounted_read_only_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As secrets of Docker and Kubernetes are: of another user, and readable."""
    (tmp_path / "token").write_text("secret")
    (tmp_path / "token").chmod(0o444)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    ray_token.provide(environment(tmp_path / "token"))
    assert mode(tmp_path / "token") == 0o444


def test_the_header_carries_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a-token")
    found = {name.lower(): value for name, value in ray_token.headers().items()}
    assert found == {"authorization": "Bearer a-token"}


def test_without_authentication_there_is_no_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert ray_token.headers() == {}
