"""The token goes to the dashboard as the installed Ray sends it."""

from __future__ import annotations

import pytest

from cluster.node import ray_token


def test_the_header_carries_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "a-token")
    found = {name.lower(): value for name, value in ray_token.headers().items()}
    assert found == {"authorization": "Bearer a-token"}


def test_without_authentication_there_is_no_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert ray_token.headers() == {}
