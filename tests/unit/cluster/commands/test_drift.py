"""`quorum drift` without decisions to compare."""

from __future__ import annotations

import pytest

from cluster.cli import run
from training.monitor.drift import NothingDecided


def test_without_decisions_the_hint_names_tenant_and_days(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def nobody(*_: object) -> None:
        raise NothingDecided("tenant nosuch got no decisions in the last 7 days")

    monkeypatch.setattr("cluster.commands.drift._measure", nobody)
    assert run(["drift", "--tenant", "nosuch"]) == 1
    said = capsys.readouterr().err
    assert "--days looks further back, --tenant names another tenant" in said
    assert "replay" not in said
