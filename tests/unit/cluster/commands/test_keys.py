"""`quorum keys`: arguments that are refused before anything is connected."""

from __future__ import annotations

import pytest

from cluster.cli import run
from fraud.access.scopes import SCOPES


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "--name", "shop", "--scopes", "raed"], "--scopes: unknown scope 'raed'"),
        (["create", "--name", "shop", "--scopes", "decide,x"], "--scopes: unknown scope 'x'"),
        (["create", "--name", "shop", "--scopes", ""], "--scopes: expected at least one scope"),
        (["scopes", "abcdefghijkm", "write"], "SCOPES: unknown scope 'write'"),
        (["scopes", "abcdefghijkm", ","], "SCOPES: expected at least one scope"),
    ],
)
def test_wrong_scopes_are_refused_with_those_that_exist(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["keys", *arguments]) == 2
    error = capsys.readouterr().err
    assert error == f"error: {said}; the scopes are {', '.join(SCOPES)}\n"


@pytest.mark.parametrize("command", ["create", "scopes"])
def test_help_says_what_each_scope_means(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["keys", command, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for scope, meaning in SCOPES.items():
        assert f"{scope}: {meaning}" in shown
