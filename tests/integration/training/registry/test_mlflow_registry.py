"""The registry on a real MLflow: searches beyond one page, and an MLflow that cannot be reached."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cluster.cli import run as quorum
from fraud.errors import NotFound
from training.registry import mlflow_registry as module
from training.registry.mlflow_registry import TRAINING, Registry

PAGE = 7
RUNS = 3 * PAGE


@pytest.fixture
def filled(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """One run of tenant `paged`, one that failed, and three pages of other tenants' after them:
    its id, and the failed one's. Responses hold at most seven entries."""
    monkeypatch.setattr(module, "_PAGE", PAGE)
    with registry.run("train", {**TRAINING, "tenant": "paged", "schema_id": "s1"}) as mine:
        registry.register(mine, "paged", {"digest": "d0", "run": mine.info.run_id}, "artifact")
    failed = registry._client.create_run(registry._experiment_id, tags=TRAINING)
    registry.register(failed, "paged", {"digest": "f0", "run": failed.info.run_id}, "artifact")
    registry._client.set_terminated(failed.info.run_id, "FAILED")
    for number in range(1, RUNS + 1):
        with registry.run("train", {**TRAINING, "tenant": "later", "schema_id": "s1"}) as run:
            tags = {"digest": f"d{number}", "run": run.info.run_id}
            registry.register(run, "paged", tags, "artifact")
        lost = registry._client.create_run(registry._experiment_id, tags=TRAINING)
        registry._client.set_terminated(lost.info.run_id, "KILLED")
    return {"mine": mine.info.run_id, "failed": failed.info.run_id}


def test_searches_go_beyond_the_first_page(registry: Registry, filled: dict[str, str]) -> None:
    mine = registry.newest_run({"tenant": "paged", "schema_id": "s1"})
    assert mine is not None
    assert mine.run_id == filled["mine"]
    assert mine.tags["tenant"] == "paged"
    assert registry.newest_run({"tenant": "paged", "schema_id": "s2"}) is None
    # All of them, in order, without the one whose training failed three pages ago.
    digests = [v.digest for v in registry.versions("paged")]
    assert digests == [f"d{number}" for number in range(RUNS + 1)]
    assert [v.digest for v in registry.versions_of(filled["mine"])] == ["d0"]
    assert registry.versions_of(filled["failed"]) == []
    with pytest.raises(NotFound, match="quote"):
        registry.newest_run({"tenant": "o'brien"})


def test_the_newest_run_is_the_one_that_ended_last(registry: Registry) -> None:
    """A long training that started first may end last."""
    tags = {"tenant": "overlap", "schema_id": "s1"}
    with (
        registry.run("train", {**TRAINING, **tags}) as long,
        registry.run("train", {**TRAINING, **tags}),
    ):
        pass
    newest = registry.newest_run(tags)
    assert newest is not None
    assert newest.run_id == long.info.run_id


def test_aliases_of_more_models_than_a_page(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAGE", PAGE)
    with registry.run("train", {**TRAINING}) as run:
        for number in range(2 * PAGE + 1):
            name = f"many-{number:02}"
            version = registry.register(run, name, {"run": run.info.run_id}, "artifact")
            registry.set_alias(name, "champion", version)
    named = {name for name in registry.aliases() if name.startswith("many-")}
    assert len(named) == 2 * PAGE + 1


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.usefixtures("home")
def test_a_missing_driver_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = "mysql+pymysql://u:hid_den7@127.0.0.1:1/d"
    monkeypatch.setitem(sys.modules, "pymysql", None)
    monkeypatch.setenv("QUORUM_MLFLOW_TRACKING_URI", uri)
    assert quorum(["models", "list"]) == 1
    said = capsys.readouterr().err
    assert "QUORUM_MLFLOW_TRACKING_URI: MLflow needs pymysql for this database" in said
    assert "pip install pymysql" in said
    assert "den7" not in said


@pytest.mark.usefixtures("home")
def test_the_password_of_an_unreachable_mlflow_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_MLFLOW_TRACKING_URI", "http://u:hid_den7@127.0.0.1:1/")
    for flags in ([], ["--json"]):
        assert quorum(["models", "list", *flags]) == 0
        said = capsys.readouterr()
        assert "MLflow does not answer" in said.err
        assert "den7" not in said.out + said.err
