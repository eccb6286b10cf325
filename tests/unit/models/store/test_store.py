"""The store, over a folder and over a stand-in for a bucket."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fraud.errors import ArtifactRefused, ArtifactsUnavailable
from models.artifact import MANIFEST, read_manifest, version_of
from models.store.alias import TRAINED, Alias, Move, moment
from models.store.cache import Cache
from models.store.objects import FolderObjects
from models.store.store import ArtifactStore
from tests.contracts.artifacts import tiny_artifact

N, SCHEMA = 4, "abcdefabcdef"


class Elsewhere(FolderObjects):
    """A folder that stands in for remote storage: it can become unreachable, or fail after some
    writes."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.silent = False
        self.writes_left = 1_000
        self.reads = 0

    @property
    def folder(self) -> None:
        return None

    def read(self, name: str) -> bytes | None:
        if self.silent:
            raise ArtifactsUnavailable("elsewhere: silent")
        self.reads += 1
        return super().read(name)

    def send(self, path: Path, name: str) -> None:
        if not self.writes_left:
            raise ArtifactsUnavailable("elsewhere: cut off")
        self.writes_left -= 1
        super().send(path, name)


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, str]:
    """An artifact's folder and its digest."""
    version, digest = tiny_artifact(tmp_path / "made", n_features=N, schema_id=SCHEMA)
    return tmp_path / "made" / "xgboost" / version, digest


@pytest.fixture
def elsewhere(tmp_path: Path) -> Elsewhere:
    return Elsewhere(tmp_path / "elsewhere")


def cached(objects: Elsewhere, folder: Path, max_bytes: int = 10**9) -> ArtifactStore:
    return ArtifactStore(objects, Cache(folder, max_bytes), 10.0)


def pointed(digest: str) -> Alias:
    return Alias(digest, (Move(digest, moment(0), TRAINED),))


@pytest.fixture(params=["here", "elsewhere"])
def store(request: pytest.FixtureRequest, tmp_path: Path, elsewhere: Elsewhere) -> ArtifactStore:
    if request.param == "here":
        return ArtifactStore(FolderObjects(tmp_path / "here"), None, 2.0)
    return cached(elsewhere, tmp_path / "cache")


def test_what_is_put_is_fetched_whole(store: ArtifactStore, made: tuple[Path, str]) -> None:
    folder, digest = made
    assert store.put(folder, "xgboost", digest) == 3
    assert store.put(folder, "xgboost", digest) == 0
    assert store.put(folder, "xgboost", digest, reread=False) == 0
    fetched = store.fetch("xgboost", version_of(digest), digest)
    assert read_manifest(fetched, digest)[1] == digest
    assert store.versions("xgboost") == [version_of(digest)]
    assert store.faults("xgboost", version_of(digest), digest) == []


def test_names_lead_to_versions(store: ArtifactStore, made: tuple[Path, str]) -> None:
    folder, digest = made
    store.put(folder, "xgboost", digest)
    assert store.alias("xgboost", "champion") is None
    store.set_alias("xgboost", "champion", pointed(digest))
    for name in ("champion", digest, version_of(digest)):
        assert store.resolve("xgboost", name).version == version_of(digest)
    (shelf,) = store.variants().values()
    assert shelf.aliases == ["champion"]
    assert shelf.versions == {version_of(digest): sum(p.stat().st_size for p in folder.iterdir())}
    store.remove_alias("xgboost", "champion")
    with pytest.raises(ArtifactRefused, match="champion"):
        store.resolve("xgboost", "champion")


def test_owners_do_not_share_aliases(
    store: ArtifactStore, made: tuple[Path, str], tmp_path: Path
) -> None:
    folder, digest = made
    version, other = tiny_artifact(tmp_path / "made", n_features=N, schema_id=SCHEMA, slope=2.0)
    store.put(folder, "xgboost", digest)
    store.put(tmp_path / "made" / "xgboost" / version, "xgboost", other)
    store.set_alias("xgboost", "champion", pointed(digest))
    # Names that could be taken for a file or folder of the store's own.
    owners = ["mine", "Mine", "champion.json", "aliases", "owners", version]
    for owner in owners:
        assert store.alias("xgboost", "champion", owner) is None
        store.set_alias("xgboost", "champion", pointed(other), owner)
    assert store.resolve("xgboost", "champion").digest == digest
    assert {store.resolve("xgboost", "champion", owner).digest for owner in owners} == {other}
    shelf = store.variants()["xgboost"]
    assert shelf.owned == {owner: ["champion"] for owner in ("", *owners)}
    assert shelf.aliases == ["champion"]
    assert store.versions("xgboost") == sorted([version, version_of(digest)])
    store.remove_alias("xgboost", "champion", "mine")
    with pytest.raises(ArtifactRefused, match="mine/champion"):
        store.resolve("xgboost", "champion", "mine")
    assert store.resolve("xgboost", "champion", "Mine").digest == other
    assert store.resolve("xgboost", "champion").digest == digest


def test_an_owner_without_artifacts_of_its_own_has_aliases_only(
    store: ArtifactStore, made: tuple[Path, str]
) -> None:
    store.set_alias("logistic", "champion", pointed(made[1]), "mine")
    assert store.variants()["logistic"].versions == {}
    assert store.variants()["logistic"].owned == {"mine": ["champion"]}


def test_a_damaged_file_is_found_and_put_again(
    store: ArtifactStore, made: tuple[Path, str], tmp_path: Path, elsewhere: Elsewhere
) -> None:
    folder, digest = made
    store.put(folder, "xgboost", digest)
    root = Path(store.url.removeprefix("file://"))
    model = root / "xgboost" / version_of(digest) / "model.onnx"
    body = model.read_bytes()
    model.write_bytes(bytes(len(body)))
    assert store.faults("xgboost", version_of(digest)) == [
        f"xgboost {version_of(digest)}: model.onnx does not match its digest"
    ]
    assert store.put(folder, "xgboost", digest, reread=False) == 0  # its size is right
    assert store.put(folder, "xgboost", digest) == 1
    assert model.read_bytes() == body


def test_without_a_manifest_there_is_no_artifact_yet(
    made: tuple[Path, str], elsewhere: Elsewhere, tmp_path: Path
) -> None:
    folder, digest = made
    store = cached(elsewhere, tmp_path / "cache")
    elsewhere.writes_left = 2
    with pytest.raises(ArtifactsUnavailable):
        store.put(folder, "xgboost", digest)
    assert store.versions("xgboost") == []
    assert store.variants() == {}
    with pytest.raises(ArtifactRefused):
        store.fetch("xgboost", version_of(digest), digest)
    elsewhere.writes_left = 1  # what had arrived is not sent again
    assert store.put(folder, "xgboost", digest) == 1
    assert store.versions("xgboost") == [version_of(digest)]


def test_the_cache_serves_without_the_network(
    made: tuple[Path, str], elsewhere: Elsewhere, tmp_path: Path
) -> None:
    folder, digest = made
    store = cached(elsewhere, tmp_path / "cache")
    store.put(folder, "xgboost", digest)
    store.set_alias("xgboost", "champion", pointed(digest))
    store.set_alias("xgboost", "champion", pointed(digest), "mine")
    store.fetch("xgboost", version_of(digest), digest)
    elsewhere.silent = True
    after_a_restart = cached(elsewhere, tmp_path / "cache")
    assert after_a_restart.resolve("xgboost", "champion", "mine").digest == digest
    with pytest.raises(ArtifactsUnavailable):
        after_a_restart.resolve("xgboost", "champion", "theirs")
    reference = after_a_restart.resolve("xgboost", "champion")
    assert after_a_restart.offline
    assert reference.digest == digest
    read_manifest(after_a_restart.fetch("xgboost", reference.version, digest), digest)
    with pytest.raises(ArtifactsUnavailable):
        after_a_restart.resolve("xgboost", "challenger")
    elsewhere.silent = False
    assert after_a_restart.resolve("xgboost", "champion").digest == digest
    assert not after_a_restart.offline


@pytest.mark.parametrize("damage", ["truncated", "missing", "no manifest"])
def test_a_damaged_copy_is_fetched_again(
    made: tuple[Path, str], elsewhere: Elsewhere, tmp_path: Path, damage: str
) -> None:
    folder, digest = made
    store = cached(elsewhere, tmp_path / "cache")
    store.put(folder, "xgboost", digest)
    copy = store.fetch("xgboost", version_of(digest), digest)
    if damage == "truncated":
        (copy / "model.onnx").write_bytes(b"x")
    else:
        (copy / ("model.onnx" if damage == "missing" else MANIFEST)).unlink()
    again = store.fetch("xgboost", version_of(digest), digest)
    assert again == copy
    assert read_manifest(again, digest)[1] == digest
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["xgboost"]


def test_what_comes_damaged_is_refused_and_not_kept(
    made: tuple[Path, str], elsewhere: Elsewhere, tmp_path: Path
) -> None:
    folder, digest = made
    store = cached(elsewhere, tmp_path / "cache")
    store.put(folder, "xgboost", digest)
    (tmp_path / "elsewhere" / "xgboost" / version_of(digest) / "model.onnx").write_bytes(b"x")
    with pytest.raises(ArtifactRefused, match=r"model\.onnx"):
        store.fetch("xgboost", version_of(digest), digest)
    assert not list((tmp_path / "cache").glob("xgboost/*"))


def test_the_cache_is_bounded_and_the_newest_stays(elsewhere: Elsewhere, tmp_path: Path) -> None:
    digests = []
    store = cached(elsewhere, tmp_path / "cache")
    for slope in (1.0, 2.0, 3.0):
        version, digest = tiny_artifact(
            tmp_path / "made", n_features=N, schema_id=SCHEMA, slope=slope
        )
        store.put(tmp_path / "made" / "xgboost" / version, "xgboost", digest)
        digests.append(digest)
    size = sum(store.variants()["xgboost"].versions.values()) // 3
    bounded = cached(elsewhere, tmp_path / "small", 2 * size + size // 2)
    for digest in digests:
        bounded.fetch("xgboost", version_of(digest), digest)
    kept = {path.name for path in (tmp_path / "small" / "xgboost").iterdir()}
    assert len(kept) == 2
    assert version_of(digests[-1]) in kept
    tiny = cached(elsewhere, tmp_path / "tiny", 1)
    assert tiny.fetch("xgboost", version_of(digests[0]), digests[0]).is_dir()


def test_a_folder_under_another_name_is_not_taken(
    made: tuple[Path, str], elsewhere: Elsewhere, tmp_path: Path
) -> None:
    folder, _ = made
    shutil.copytree(folder, tmp_path / "elsewhere" / "xgboost" / ("0" * 12))
    store = cached(elsewhere, tmp_path / "cache")
    with pytest.raises(ArtifactRefused):
        store.fetch("xgboost", "0" * 12)
    with pytest.raises(ArtifactRefused):
        store.manifest("xgboost", "0" * 12)


@pytest.mark.parametrize("name", ["..", "../x", "", "a/b", "A" * 70, "/etc", "a..b"])
def test_names_do_not_leave_the_store(store: ArtifactStore, name: str) -> None:
    for call in (
        lambda: store.alias(name, "champion"),
        lambda: store.fetch(name, "0" * 12),
        lambda: store.versions(name),
        lambda: store.alias("xgboost", name),
        lambda: store.alias(name, "champion", "mine"),
        lambda: store.alias("xgboost", name, "mine"),
    ):
        with pytest.raises(ArtifactRefused):
            call()


@pytest.mark.parametrize("owner", ["..", ".", "../x", "a/b", "a" * 65, "/etc", "-x", "a\\b"])
def test_owners_do_not_leave_the_store(store: ArtifactStore, owner: str) -> None:
    for call in (
        lambda: store.alias("xgboost", "champion", owner),
        lambda: store.set_alias("xgboost", "champion", pointed("0" * 64), owner),
        lambda: store.remove_alias("xgboost", "champion", owner),
        lambda: store.resolve("xgboost", "champion", owner),
    ):
        with pytest.raises(ArtifactRefused, match="name of a tenant"):
            call()
