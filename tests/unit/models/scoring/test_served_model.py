"""A replica follows its alias, and keeps its model if the new one is bad."""

from __future__ import annotations

import threading
import time

import pytest

from fraud.errors import ArtifactRefused, SchemaMismatch
from models.scoring.served_model import ServedModel
from models.store.objects import FolderObjects
from models.store.store import ArtifactStore
from tests.contracts.artifacts import point_alias, tiny_artifact

N, SCHEMA = 4, "abcdefabcdef"


def store(root):
    return ArtifactStore(FolderObjects(root), None, 2.0)


def publish(root, **options):
    version, digest = tiny_artifact(root, n_features=N, schema_id=SCHEMA, **options)
    point_alias(root, "xgboost", version, digest)
    return version, digest


def test_the_alias_moves_and_the_model_with_it(tmp_path):
    first, _ = publish(tmp_path)
    model = ServedModel(store(tmp_path), "xgboost", "champion", SCHEMA)
    assert (model.describe().version, model.refresh()) == (first, False)
    second, _ = publish(tmp_path, slope=2.0)
    assert model.refresh()
    assert model.describe().version == second != first


def test_it_follows_its_owner_and_nobody_else(tmp_path):
    house, _ = publish(tmp_path)
    made = [tiny_artifact(tmp_path, n_features=N, schema_id=SCHEMA, slope=s) for s in (2.0, 3.0)]
    point_alias(tmp_path, "xgboost", *made[0], owner="mine")
    model = ServedModel(store(tmp_path), "xgboost", "champion", SCHEMA, "mine")
    assert (model.describe().version, model.describe().owner) == (made[0][0], "mine")
    assert model.name == "mine/xgboost"
    pinned = ServedModel(store(tmp_path), "xgboost", house, SCHEMA)
    assert (pinned.name, pinned.describe().version) == (f"xgboost@{house}", house)
    publish(tmp_path, slope=4.0)
    assert not model.refresh()
    point_alias(tmp_path, "xgboost", *made[1], owner="mine")
    assert model.refresh()
    assert model.describe().version == made[1][0] != house
    with pytest.raises(ArtifactRefused, match="theirs/champion"):
        ServedModel(store(tmp_path), "xgboost", "champion", SCHEMA, "theirs")


def test_a_bad_artifact_is_refused_and_the_next_good_one_taken(tmp_path):
    first, _ = publish(tmp_path)
    model = ServedModel(store(tmp_path), "xgboost", "champion", SCHEMA)
    publish(tmp_path, slope=3.0, golden_shift=0.1)
    assert not model.refresh()
    assert model.describe().version == first
    assert "golden" in model.describe().refused
    third, _ = publish(tmp_path, slope=4.0)
    assert model.refresh()
    assert (model.describe().version, model.describe().refused) == (third, None)


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff", b'{"version": "../x", "digest": ""}'])
def test_a_broken_alias_changes_nothing(tmp_path, body):
    first, _ = publish(tmp_path)
    model = ServedModel(store(tmp_path), "xgboost", "champion", SCHEMA)
    (tmp_path / "xgboost" / "aliases" / "champion.json").write_bytes(body)
    assert not model.refresh()
    assert model.describe().version == first
    assert model.describe().refused


def test_back_to_what_is_served_is_no_complaint(tmp_path):
    version, digest = publish(tmp_path)
    model = ServedModel(store(tmp_path), "xgboost", "champion", SCHEMA)
    publish(tmp_path, slope=3.0, golden_shift=0.1)
    model.refresh()
    point_alias(tmp_path, "xgboost", version, digest)
    assert not model.refresh()
    assert model.describe().refused is None


def test_nothing_to_start_with_is_an_error(tmp_path):
    with pytest.raises(ArtifactRefused):
        ServedModel(store(tmp_path), "xgboost", "champion", SCHEMA)


def test_another_schema_or_another_variant_is_no_start(tmp_path):
    _, digest = publish(tmp_path)
    with pytest.raises(SchemaMismatch):
        ServedModel(store(tmp_path), "xgboost", "champion", "000000000000")
    (tmp_path / "xgboost").rename(tmp_path / "logistic")
    with pytest.raises(ArtifactRefused):
        ServedModel(store(tmp_path), "logistic", digest, SCHEMA)


def test_versions_and_digests_stay(tmp_path):
    version, digest = publish(tmp_path)
    assert store(tmp_path).resolve("xgboost", version).version == version
    assert store(tmp_path).resolve("xgboost", digest).digest == digest
    model = ServedModel(store(tmp_path), "xgboost", version, SCHEMA)
    publish(tmp_path, slope=2.0)
    assert not model.refresh()


@pytest.mark.parametrize("name", ["..", "../x", "", "a/b", "A" * 70, "/etc"])
def test_names_do_not_leave_the_folder(tmp_path, name):
    with pytest.raises(ArtifactRefused):
        store(tmp_path).resolve(name, "champion")
    with pytest.raises(ArtifactRefused):
        store(tmp_path).resolve("xgboost", name)


def test_following_takes_up_a_change_and_ends(tmp_path):
    publish(tmp_path)
    model = ServedModel(store(tmp_path), "xgboost", "champion", SCHEMA)
    before = threading.active_count()
    model.follow(0.01)
    second, _ = publish(tmp_path, slope=2.0)
    deadline = time.monotonic() + 60
    while model.describe().version != second and time.monotonic() < deadline:
        time.sleep(0.01)
    assert model.describe().version == second
    assert model.following
    model.close()
    assert threading.active_count() == before
