"""Artifacts behind a real S3 server: pushed, served, followed, verified."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cluster.cli import run
from features.definitions import SCHEMA_ID
from fraud.errors import ArtifactsUnavailable
from models.artifact import read_manifest
from models.scoring.served_model import ServedModel
from models.store.alias import TRAINED, Alias, Move, moment
from models.store.location import open_store, store_of
from models.store.store import ArtifactStore
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.s3 import BUCKET, s3_server
from training.registry.push import Push

N = 4


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with s3_server(monkeypatch) as url:
        yield url


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with a champion and a challenger of one variant, a champion of another, and a version
    without an alias."""
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "home"))
    root = tmp_path / "home" / "artifacts"
    for variant, slopes in (("xgboost", (1.0, 2.0, 3.0)), ("logistic", (1.0,))):
        made = [
            tiny_artifact(root, variant, n_features=N, schema_id=SCHEMA_ID, slope=slope)
            for slope in slopes
        ]
        for alias, named in zip(("champion", "challenger"), made, strict=False):
            point_alias(root, variant, *named, alias=alias)
    return tmp_path / "home"


def output(capsys: pytest.CaptureFixture[str]) -> dict:
    document: dict = json.loads(capsys.readouterr().out)
    return document


def remote(home: Path, tmp_path: Path, prefix: str = "a/b") -> ArtifactStore:
    """The bucket as another machine sees it: with a cache of its own."""
    settings = Settings(home=tmp_path / "another", artifacts_at=f"s3://{BUCKET}/{prefix}")
    return store_of(settings)


def test_push_estimates_sends_once_and_verifies(
    endpoint: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = f"s3://{BUCKET}/a/b"
    assert run(["models", "push", to, "--estimate", "--json"]) == 0
    estimate = output(capsys)
    sent = {(a["variant"], a["version"]) for a in estimate["artifacts"]}
    folders = [home / "artifacts" / variant / version for variant, version in sent]
    size = sum(path.stat().st_size for folder in folders for path in folder.iterdir())
    assert (estimate["files"], estimate["bytes"]) == (9, size)
    assert len(estimate["aliases"]) == 3
    assert remote(home, tmp_path).variants() == {}  # an estimate sends nothing
    assert run(["models", "push", to, "--verify", "--json"]) == 1
    assert len(output(capsys)["faults"]) == 6

    assert run(["models", "push", to, "--json"]) == 0
    assert output(capsys)["sent_files"] == 9
    assert run(["models", "push", to, "--json"]) == 0
    again = output(capsys)
    assert (again["sent_files"], again["files"], again["aliases"]) == (0, 0, {})
    assert run(["models", "push", to, "--verify", "--json"]) == 0
    assert output(capsys) == {"destination": to, "whole": 3, "faults": []}
    assert run(["models", "push", to, "--all", "--dry-run", "--json"]) == 0
    assert output(capsys)["files"] == 3


def test_owners_have_their_own_aliases_behind_s3(
    endpoint: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    here, there = store_of(Settings(home=home)), remote(home, tmp_path)
    house, other = (here.resolve("xgboost", alias) for alias in ("champion", "challenger"))
    assert other.digest is not None
    owners = ["mine", "Mine", "champion.json"]
    for owner in owners:
        here.set_alias("xgboost", "champion", Alias(other.digest), owner)
    assert run(["models", "push", f"s3://{BUCKET}/a/b", "--json"]) == 0
    sent = output(capsys)["aliases"]
    assert {name for name in sent if "/" in name} == {f"xgboost@{o}/champion" for o in owners}
    assert Push(here, there).verify() == (3, [])
    assert there.resolve("xgboost", "champion") == house
    assert [there.resolve("xgboost", "champion", owner) for owner in owners] == [other] * 3
    assert there.variants()["xgboost"].owned == here.variants()["xgboost"].owned
    model = ServedModel(there, "xgboost", "champion", SCHEMA_ID, "Mine")
    assert model.describe().digest == other.digest
    there.remove_alias("xgboost", "champion", "Mine")
    assert there.alias("xgboost", "champion", "Mine") is None
    assert there.resolve("xgboost", "champion", "mine") == other
    assert run(["models", "push", f"s3://{BUCKET}/a/b", "--verify", "--json"]) == 1
    assert output(capsys)["faults"] == [
        f"xgboost@Mine/champion names nothing there, and {other.version} here"
    ]


def test_damage_there_is_found_and_sent_again(
    endpoint: str, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pyarrow import fs

    to = f"s3://{BUCKET}"
    assert run(["models", "push", to, "--json"]) == 0
    version = json.loads((home / "artifacts/logistic/aliases/champion.json").read_text())["version"]
    capsys.readouterr()
    s3 = fs.S3FileSystem(endpoint_override=endpoint)
    path = f"{BUCKET}/logistic/{version}/model.onnx"
    with s3.open_output_stream(path) as target:
        target.write(bytes((home / "artifacts/logistic" / version / "model.onnx").stat().st_size))
    assert run(["models", "push", to, "--verify", "--json"]) == 1
    assert output(capsys)["faults"] == [f"logistic {version}: model.onnx does not match its digest"]
    assert run(["models", "push", to, "--rewrite", "--json"]) == 0
    assert output(capsys)["sent_files"] == 1
    assert run(["models", "push", to, "--verify"]) == 0


def test_a_push_that_was_cut_off_goes_on(
    endpoint: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.store.s3 import S3Objects

    source, there = store_of(Settings(home=home)), remote(home, tmp_path)
    send, sent = S3Objects.send, []

    def cut_off(self: S3Objects, path: Path, name: str) -> None:
        if len(sent) == 4:
            raise KeyboardInterrupt
        sent.append(name)
        send(self, path, name)

    with monkeypatch.context() as patch:
        patch.setattr(S3Objects, "send", cut_off)
        with pytest.raises(KeyboardInterrupt):
            Push(source, there).send(reread=False)
    assert [shelf.aliases for shelf in there.variants().values()] == [[]]
    done = Push(source, there).send(reread=False)
    assert done.sent_files == 9 - 4
    assert Push(source, there).verify() == (3, [])


def test_replicas_follow_an_alias_behind_s3(endpoint: str, home: Path, tmp_path: Path) -> None:
    there = remote(home, tmp_path)
    Push(store_of(Settings(home=home)), there).send(reread=False)
    model = ServedModel(there, "xgboost", "champion", SCHEMA_ID)
    first = model.describe().version
    challenger = there.alias("xgboost", "challenger")
    assert challenger is not None
    assert not model.refresh()
    there.set_alias("xgboost", "champion", Alias(challenger.digest))
    model.follow(0.01)
    deadline = time.monotonic() + 60
    while model.describe().version == first and time.monotonic() < deadline:
        time.sleep(0.01)
    model.close()
    assert model.describe().version == challenger.version
    assert model.describe().refused is None


def test_a_champion_behind_s3_scores_as_it_does_here(
    endpoint: str, home: Path, tmp_path: Path
) -> None:
    here, there = store_of(Settings(home=home)), remote(home, tmp_path)
    Push(here, there).send(reread=False)
    values = np.random.default_rng(0).normal(0, 2, (50, N)).astype(np.float32)
    values[::7, 0] = np.nan
    for variant in ("xgboost", "logistic"):
        models = [ServedModel(store, variant, "champion", SCHEMA_ID) for store in (here, there)]
        at_home, behind_s3 = (model.scorer.score(values, SCHEMA_ID) for model in models)
        assert np.array_equal(at_home, behind_s3)
        assert models[0].describe() == models[1].describe()


def test_a_full_cache_serves_while_s3_is_away(
    monkeypatch: pytest.MonkeyPatch, home: Path, tmp_path: Path
) -> None:
    with s3_server(monkeypatch):
        there = remote(home, tmp_path)
        Push(store_of(Settings(home=home)), there).send(reread=False)
        running = ServedModel(there, "xgboost", "champion", SCHEMA_ID)
    version = running.describe().version
    assert not running.refresh()
    assert running.describe().refused is None  # its alias is known, and names what is served
    restarted = ServedModel(remote(home, tmp_path), "xgboost", "champion", SCHEMA_ID)
    assert restarted.describe().version == version
    with pytest.raises(ArtifactsUnavailable):
        ServedModel(remote(home, tmp_path), "logistic", "champion", SCHEMA_ID)


def test_a_damaged_copy_is_fetched_again(endpoint: str, home: Path, tmp_path: Path) -> None:
    there = remote(home, tmp_path)
    Push(store_of(Settings(home=home)), there).send(reread=False)
    named = there.resolve("xgboost", "champion")
    copy = there.fetch("xgboost", named.version, named.digest)
    (copy / "golden.npz").write_bytes(b"rot")
    read_manifest(there.fetch("xgboost", named.version, named.digest), named.digest)


def test_a_missing_bucket_is_one_line(
    endpoint: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "push", "s3://nowhere/x"]) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: s3://nowhere/x")
    assert "NO_SUCH_BUCKET" in error


def test_another_folder_is_a_destination_too(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = (tmp_path / "copy").as_uri()
    assert run(["models", "push", to, "--all", "--json"]) == 0
    assert output(capsys)["sent_files"] == 12
    assert run(["models", "push", to, "--all", "--verify", "--json"]) == 0
    assert output(capsys)["whole"] == 4
    there = open_store(to, Settings(home=home))
    moved = there.alias("xgboost", "champion")
    assert moved is not None
    assert [m.how for m in moved.moves] == ["pushed"]
    there.set_alias("xgboost", "champion", moved.moved(Move("0" * 64, moment(0), TRAINED)))
    assert run(["models", "push", to, "--verify", "--json"]) == 1
    assert "champion names 000000000000 there" in output(capsys)["faults"][0]
