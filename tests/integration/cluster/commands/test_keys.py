"""`quorum keys` against a real PostgreSQL."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import run


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("QUORUM_KEY_PEPPER", "test pepper")
    monkeypatch.setenv("COLUMNS", "200")


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert run(["keys", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def listed(capsys: pytest.CaptureFixture[str], tenant: str) -> dict[str, list[str]]:
    keys = answer(capsys, "list", "--tenant", tenant)
    return {key["key_id"]: key["scopes"] for key in keys}


def test_scopes_are_given_shown_and_changed(capsys: pytest.CaptureFixture[str]) -> None:
    tenant = ("--tenant", "mine")
    plain = answer(capsys, "create", "--name", "shop", *tenant)
    made = answer(capsys, "create", "--name", "ops", "--scopes", "plans,read", *tenant)
    assert plain["scopes"] == ["decide", "read", "label"]
    assert made["scopes"] == ["read", "plans"]
    changed = answer(capsys, "scopes", made["key_id"], "admin", *tenant)
    assert changed == {"key_id": made["key_id"], "tenant": "mine", "scopes": ["admin"]}
    assert listed(capsys, "mine") == {
        plain["key_id"]: ["decide", "read", "label"],
        made["key_id"]: ["admin"],
    }
    assert run(["keys", "list", *tenant]) == 0
    shown = capsys.readouterr().out
    assert "scopes" in shown.splitlines()[0]
    assert "decide,read,label" in shown
    assert run(["keys", "scopes", made["key_id"], "decide,label", *tenant]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said == (
        f"{made['key_id']} of tenant mine now has the scopes decide, label;"
        " it takes effect within 30 s"
    )


def test_the_key_of_another_tenant_keeps_its_scopes(capsys: pytest.CaptureFixture[str]) -> None:
    theirs = answer(capsys, "create", "--name", "shop", "--tenant", "theirs")
    assert run(["keys", "scopes", theirs["key_id"], "admin", "--tenant", "other"]) == 1
    assert f"tenant other has no API key '{theirs['key_id']}'" in capsys.readouterr().err
    assert listed(capsys, "theirs") == {theirs["key_id"]: ["decide", "read", "label"]}
