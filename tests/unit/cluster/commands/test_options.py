"""The settings of a command."""

from __future__ import annotations

import pytest

from cluster.commands.options import load_settings
from cluster.errors import CommandFailed


def test_the_tenant_of_the_command_line_comes_before_that_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QUORUM_TENANT", "ours")
    assert load_settings().tenant == "ours"
    theirs = load_settings("theirs")
    assert (theirs.tenant, theirs.owner, theirs.home_tenant) == ("theirs", "theirs", "ours")
    assert load_settings("ours").owner == load_settings().owner == ""


@pytest.mark.parametrize("name", ["", "..", "a/b", "a" * 65])
def test_what_is_no_tenant_is_refused(name: str) -> None:
    with pytest.raises(CommandFailed, match="--tenant") as refused:
        load_settings(name)
    assert refused.value.exit_code == 2


def test_the_tenant_is_all_that_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_HTTP_PORT", "8123")
    plain, other = load_settings(), load_settings("theirs")
    assert other.http_port == 8123
    assert other.model_copy(update={"tenant": plain.tenant}) == plain
