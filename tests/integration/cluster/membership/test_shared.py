"""What a head writes into the stores, and nodes that reach others, against real stores."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from pydantic import SecretStr

from cluster.errors import CommandFailed
from cluster.membership.shared import (
    Registered,
    register,
    registered,
    require_same_stores,
    require_shared,
)
from cluster.terminal.failures import explain
from models.store.location import open_store, store_of
from settings.settings import Settings

HEAD = "10.0.0.1:6379"


def head(settings: Settings, address: str = HEAD) -> str:
    return asyncio.run(register(settings, address))


def found(settings: Settings) -> Registered | None:
    return asyncio.run(registered(settings))


def joins(settings: Settings, cluster_id: str) -> None:
    asyncio.run(require_same_stores(settings, cluster_id))


def refused(settings: Settings, cluster_id: str) -> str:
    with pytest.raises(CommandFailed) as failure:
        joins(settings, cluster_id)
    return str(failure.value)


def test_before_the_first_head_nothing_is_registered(settings: Settings) -> None:
    assert found(settings) is None


def test_a_head_tells_its_address_and_facts(settings: Settings) -> None:
    cluster_id = head(settings)
    told = found(settings)
    assert told is not None
    assert (told.cluster_id, told.head) == (cluster_id, HEAD)
    assert told.facts.artifacts == cluster_id
    assert abs(told.facts.clock_ms) < 1_000
    joins(settings, cluster_id)


def test_the_identity_stays_when_another_machine_becomes_the_head(settings: Settings) -> None:
    cluster_id = head(settings)
    assert head(settings, "10.0.0.2:6379") == cluster_id
    told = found(settings)
    assert told is not None
    assert told.head == "10.0.0.2:6379"
    joins(settings, cluster_id)


def test_a_head_that_cannot_mark_the_artifacts_is_not_registered(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Exception, match="QUORUM_ARTIFACTS"):
        head(settings.model_copy(update={"artifacts_at": str(tmp_path / "file")}))
    assert found(settings) is None


def test_another_database(settings: Settings) -> None:
    """Its cluster has an identity of its own, or none."""
    assert "another database" in refused(settings, "of-the-head")
    head(settings)
    assert "another database" in refused(settings, "of-the-head")


def test_another_redis(settings: Settings, redis_client: redis.Redis) -> None:
    cluster_id = head(settings)
    redis_client.set("q:cluster", "another")
    assert "another Redis" in refused(settings, cluster_id)


def test_a_redis_that_lost_its_data_until_the_head_marks_it_again(
    settings: Settings, redis_client: redis.Redis
) -> None:
    cluster_id = head(settings)
    redis_client.flushall()
    assert "lost its data" in refused(settings, cluster_id)
    head(settings)
    joins(settings, cluster_id)


def _other_pepper(settings: Settings, _: Path) -> dict[str, Any]:
    return {"key_pepper": SecretStr("salt")}


def _empty_artifacts(settings: Settings, tmp_path: Path) -> dict[str, Any]:
    return {"artifacts_at": str(tmp_path / "empty")}


def _other_artifacts(settings: Settings, tmp_path: Path) -> dict[str, Any]:
    place = str(tmp_path / "others")
    open_store(place, settings).identity("another cluster")
    return {"artifacts_at": place}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_other_pepper, "QUORUM_KEY_PEPPER differs"),
        (_empty_artifacts, "the artifact store differs"),
        (_other_artifacts, "the artifact store differs"),
    ],
)
def test_a_node_that_is_not_like_the_head(
    settings: Settings,
    tmp_path: Path,
    change: Callable[[Settings, Path], dict[str, Any]],
    said: str,
) -> None:
    cluster_id = head(settings)
    assert said in refused(settings.model_copy(update=change(settings, tmp_path)), cluster_id)


def test_a_node_leaves_no_mark_in_an_artifact_store(settings: Settings, tmp_path: Path) -> None:
    cluster_id = head(settings)
    wrong = settings.model_copy(update={"artifacts_at": str(tmp_path / "empty")})
    refused(wrong, cluster_id)
    assert store_of(wrong).identity() == ""


@pytest.mark.parametrize(("off_s", "way"), [(5, "ahead of"), (-90, "behind")])
def test_a_clock_that_is_off(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, off_s: float, way: str
) -> None:
    cluster_id = head(settings)
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + off_s)
    said = re.search(
        rf"the clock of this machine is ([\d.]+) s {way}", refused(settings, cluster_id)
    )
    assert said is not None
    assert float(said[1]) == pytest.approx(abs(off_s), abs=0.5)


def test_clocks_are_compared_with_each_other_and_not_with_postgresqls(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = time.time
    monkeypatch.setattr(time, "time", lambda: right() + 30)
    joins(settings, head(settings))


def test_without_the_schema_the_hint_is_to_migrate(
    settings: Settings, empty_database_url: str
) -> None:
    without = settings.model_copy(update={"database_url": SecretStr(empty_database_url)})
    for act in (lambda: found(without), lambda: head(without), lambda: joins(without, "c1")):
        with pytest.raises(Exception, match="cluster") as failure:
            act()
        told = explain(failure.value)
        assert told is not None
        assert "quorum migrate" in told.hint


NEEDED = ("DATABASE_URL", "REDIS_URL", "QUORUM_KEY_PEPPER")


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NEEDED:
        monkeypatch.setenv(name, "given")
        monkeypatch.delenv(f"{name}_FILE", raising=False)


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("name", NEEDED)
def test_each_store_is_needed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    require_shared(settings)
    monkeypatch.delenv(name)
    without = settings.model_copy(update={"key_pepper": None})
    with pytest.raises(CommandFailed, match=f"{name} is not set"):
        require_shared(without)
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "secret"))
    require_shared(without)


@pytest.mark.usefixtures("given")
def test_the_pepper_of_settings_env_is_enough_and_its_embedded_stores_are_not(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QUORUM_KEY_PEPPER")
    require_shared(settings)
    monkeypatch.delenv("REDIS_URL")
    with pytest.raises(CommandFailed, match="REDIS_URL is not set"):
        require_shared(settings)


@pytest.mark.usefixtures("given")
def test_a_folder_of_this_machine_is_no_artifact_store_of_several(settings: Settings) -> None:
    with pytest.raises(CommandFailed, match="QUORUM_ARTIFACTS is not set"):
        require_shared(settings.model_copy(update={"artifacts_at": None}))
