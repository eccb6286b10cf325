"""`quorum references` on a real PostgreSQL and an artifact store in a folder."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from cluster.cli import run
from fraud.variant import HOUSE
from models.store.alias import CHAMPION, TRAINED, Alias, Move
from models.store.location import store_of
from models.store.store import ArtifactStore
from references.files import DOCUMENT_FILE, write_reference
from references.library import Library
from settings.settings import Settings
from tests.contracts.references import small_reference
from training.reference.leave import LeftReference, list_reference

Command = Callable[..., Any]


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return store_of(Settings(home=tmp_path / "home"))


@pytest.fixture
def versions(store: ArtifactStore, tmp_path: Path) -> list[str]:
    """Two versions of the house's reference `small`, the second champion, and one of `mine`."""
    made = []
    for number, owner in enumerate((HOUSE, HOUSE, "mine")):
        reference, drawn = small_reference(owner=owner)
        reference = replace(
            reference, rows=number, created_at=f"2026-01-0{number + 1}T00:00:00+00:00"
        )
        digest = write_reference(tmp_path / str(number), reference, drawn)
        store.put(tmp_path / str(number), "reference-small", digest)
        if number:
            alias = Alias(digest, (Move(digest, "", TRAINED),))
            store.set_alias("reference-small", CHAMPION, alias, owner)
        made.append(digest[:12])
    return made


@pytest.fixture
def command(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    async def empty() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("TRUNCATE reference_models")
        await connection.close()

    asyncio.run(empty())
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)

    def called(*arguments: str, code: int = 0) -> Any:
        assert run(["references", *arguments, "--json"]) == code
        shown = capsys.readouterr()
        return json.loads(shown.out) if code == 0 else shown.err

    return called


def listed(command: Command, *arguments: str) -> list[tuple[str, str, str]]:
    found = command("list", *arguments)["references"]
    return [(one["owner"], one["version"], one["alias"]) for one in found]


def test_the_table_is_rebuilt_from_the_store(command: Command, versions: list[str]) -> None:
    first, second, mine = versions
    assert listed(command) == []
    assert len(command("add")["added"]) == 3
    assert listed(command) == [
        ("mine", mine, "champion"),
        ("", second, "champion"),
        ("", first, ""),
    ]
    assert len(command("add")["added"]) == 3
    assert len(listed(command)) == 3
    assert listed(command, "--tenant", "mine") == listed(command)
    assert listed(command, "--tenant", "theirs") == listed(command)[1:]


def test_a_damaged_reference_is_named_and_hides_no_other(
    command: Command, versions: list[str], store: ArtifactStore
) -> None:
    first, second, mine = versions
    (store.fetch("reference-small", first) / DOCUMENT_FILE).write_text("{}")
    assert f"damaged, and left out: small@{first}" in command("add", code=1)
    assert listed(command) == [("mine", mine, "champion"), ("", second, "champion")]
    # Whoever asks for it by name hears what is wrong with it.
    assert first in command("add", f"small@{first}", code=1)


def test_a_removed_reference_comes_back_from_the_store(
    command: Command, versions: list[str], store: ArtifactStore
) -> None:
    first, second, _ = versions
    command("add")
    assert command("remove", "small")["was_champion"]
    assert listed(command, "--tenant", "theirs") == []
    assert store.alias("reference-small", CHAMPION) is None
    assert store.alias("reference-small", CHAMPION, "mine") is not None
    assert "no reference small to remove" in command("remove", "small", code=1)
    command("add", "small")
    assert listed(command, "--tenant", "theirs") == [("", second, "champion"), ("", first, "")]
    command("add", f"small@{first}")
    assert command("show", "small")["version"] == first
    assert store.resolve("reference-small", CHAMPION).version == first


def test_a_tenant_removes_only_its_own(command: Command, versions: list[str]) -> None:
    command("add")
    command("remove", "small", "--tenant", "mine")
    assert [owner for owner, *_ in listed(command)] == ["", ""]
    assert "no reference small to remove" in command("remove", "small", "--tenant", "mine", code=1)


def test_a_reference_is_shown_with_its_columns(command: Command, versions: list[str]) -> None:
    command("add")
    shown = command("show", f"small@{versions[1]}")
    assert shown["id"] == f"small@{versions[1]}"
    assert [column["profile"]["name"] for column in shown["columns"]] == [
        *("amount", "at", "channel", "customer")
    ]
    assert "no reference nothing" in command("show", "nothing", code=1)
    assert "cannot be the name" in command("add", "../x", code=2)


def test_people_read_tables(
    command: Command, versions: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command("add")
    assert run(["references", "list"]) == 0
    assert "small" in capsys.readouterr().out
    assert run(["references", "show", "small"]) == 0
    shown = capsys.readouterr().out
    assert "small-xgboost (scores files)" in shown
    assert "pos 3" in shown, "a category with its share"
    assert "A1{8}" in shown


def test_no_version_is_not_every_version(command: Command, versions: list[str]) -> None:
    command("add")
    assert "names no version" in command("remove", "small@", code=2)
    assert len(listed(command)) == 3


def test_the_alias_of_a_training_that_has_just_ended_stays(
    command: Command, versions: list[str], store: ArtifactStore
) -> None:
    command("add")
    later = Alias("e" * 64, (Move("e" * 64, "", TRAINED),))
    store.set_alias("reference-small", CHAMPION, later)
    assert command("remove", "small")["was_champion"]
    assert store.alias("reference-small", CHAMPION) == later


def test_of_two_trainings_the_table_names_the_one_that_the_alias_names(
    command: Command, versions: list[str], store: ArtifactStore, database_url: str
) -> None:
    # The first one moved the alias first, and comes to the table last.
    settings = Settings(database_url=SecretStr(database_url))
    first, second, _ = versions
    for version in (second, first):
        digest = store.manifest("reference-small", version)[1]
        reference, _ = Library(store).read("small", digest)
        said = list_reference(settings, LeftReference(reference, digest, 7), store)
        assert said is not None
        assert said["listed"]
    assert listed(command) == [("", second, "champion"), ("", first, "")]
