"""What a node must have in common with the head."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from cluster.errors import CommandFailed
from cluster.membership.facts import CLOCK_MS, Facts, own_facts
from features.definitions import SCHEMA_ID
from settings.settings import Settings

HEAD = Facts("15.0", "2.60", "3.12", "f1", "p1", "a1", 100)


def test_the_same_node_may_join() -> None:
    HEAD.require_same(HEAD)


@pytest.mark.parametrize("name", ["quorum", "ray", "python", "features"])
def test_a_version_that_differs_is_named_with_both_values(name: str) -> None:
    own = replace(HEAD, **{name: "another"})
    with pytest.raises(CommandFailed, match="differs from the head's") as failure:
        own.require_same(HEAD)
    assert f"another here, {getattr(HEAD, name)} at the head" in failure.value.what


@pytest.mark.parametrize(("name", "variable"), [("pepper", "PEPPER"), ("artifacts", "ARTIFACTS")])
def test_a_secret_that_differs_is_named_without_its_values(name: str, variable: str) -> None:
    with pytest.raises(CommandFailed) as failure:
        replace(HEAD, **{name: "another"}).require_same(HEAD)
    assert variable in str(failure.value)
    assert "another" not in str(failure.value)
    assert getattr(HEAD, name) not in str(failure.value).split()


@pytest.mark.parametrize(
    ("ahead_ms", "said"), [(1_500, "1.5 s ahead of"), (-2_000, "2.0 s behind")]
)
def test_a_clock_that_is_off_is_refused_with_its_difference(ahead_ms: int, said: str) -> None:
    with pytest.raises(CommandFailed, match=said):
        replace(HEAD, clock_ms=HEAD.clock_ms + ahead_ms).require_same(HEAD)


@pytest.mark.parametrize("ahead_ms", [CLOCK_MS, -CLOCK_MS])
def test_a_second_between_clocks_is_allowed(ahead_ms: int) -> None:
    replace(HEAD, clock_ms=HEAD.clock_ms + ahead_ms).require_same(HEAD)


def test_a_document_gives_the_same_facts() -> None:
    assert Facts.of(HEAD.document()) == HEAD


def test_facts_of_another_version_can_be_read_and_differ() -> None:
    """It may have facts that this version does not know, and lack others."""
    document = HEAD.document() | {"quorum": "99.0", "later": 1}
    del document["features"]
    with pytest.raises(CommandFailed, match=r"99\.0 at the head"):
        HEAD.require_same(Facts.of(document))


def test_own_facts_hold_no_secret(tmp_path: Path) -> None:
    def facts(pepper: str) -> Facts:
        settings = Settings(home=tmp_path, key_pepper=SecretStr(pepper))
        return own_facts(settings, "mark", 7)

    own = facts("very secret")
    assert own.python == ".".join(map(str, sys.version_info[:2]))
    assert (own.features, own.artifacts, own.clock_ms) == (SCHEMA_ID, "mark", 7)
    assert "very secret" not in str(own.document())
    assert facts("very secret") == own
    assert facts("other").pepper != own.pepper


def test_without_a_pepper_there_are_no_facts(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="QUORUM_KEY_PEPPER is not set"):
        own_facts(Settings(home=tmp_path, key_pepper=None), "", 0)
