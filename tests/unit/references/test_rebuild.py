"""References as the artifact store holds them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fraud.errors import ArtifactRefused, InvalidInput, NotFound
from fraud.variant import HOUSE
from models.store.alias import CHAMPION, TRAINED, Alias, Move
from models.store.location import store_of
from models.store.store import ArtifactStore
from references.files import DOCUMENT_FILE, write_reference
from references.rebuild import found_references, restore_champion
from references.reference import Reference
from settings.settings import Settings
from tests.contracts.artifacts import tiny_artifact
from tests.contracts.references import small_reference

HOUSES, NEWER = (f"2026-0{month}-01T00:00:00+00:00" for month in (1, 2))


def put(store: ArtifactStore, folder: Path, reference: Reference, *, champion: bool = False) -> str:
    place = folder / f"{reference.name}-{reference.owner}-{reference.created_at[:10]}"
    digest = write_reference(place, reference, small_reference()[1])
    variant = f"reference-{reference.name}"
    store.put(place, variant, digest)
    if champion:
        named = Alias(digest, (Move(digest, reference.created_at, TRAINED),))
        store.set_alias(variant, CHAMPION, named, reference.owner)
    return digest


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return store_of(Settings(home=tmp_path / "home"))


@pytest.fixture
def reference() -> Reference:
    return small_reference(created_at=HOUSES)[0]


def test_all_versions_are_found_with_their_champions_and_sizes(
    store: ArtifactStore, reference: Reference, tmp_path: Path
) -> None:
    old = put(store, tmp_path, reference)
    new = put(store, tmp_path, replace(reference, created_at=NEWER), champion=True)
    version, digest = tiny_artifact(
        tmp_path / "models", "small-xgboost", n_features=2, schema_id="s"
    )
    folder = tmp_path / "models" / "small-xgboost" / version
    store.put(folder, "small-xgboost", digest)
    model = replace(reference.models[0], digest=digest)
    put(store, tmp_path, replace(reference, name="other", models=(model,)), champion=True)
    found = found_references(store, None)
    assert [(f.reference.name, f.digest, f.champion) for f in found[1:]] == [
        ("small", old, False),
        ("small", new, True),
    ]
    model_bytes = sum(path.stat().st_size for path in folder.iterdir())
    own = sum(p.stat().st_size for p in (tmp_path / "other--2026-01-01").iterdir())
    assert found[0].size_bytes == own + model_bytes
    assert [f.digest for f in found_references(store, None, f"small@{old[:12]}")] == [old]


def test_only_the_owners_own_are_found(
    store: ArtifactStore, reference: Reference, tmp_path: Path
) -> None:
    put(store, tmp_path, reference, champion=True)
    mine = put(store, tmp_path, replace(reference, owner="mine"), champion=True)
    assert [f.digest for f in found_references(store, "mine", "small")] == [mine]
    assert len(found_references(store, None, "small")) == 2
    with pytest.raises(NotFound):
        found_references(store, "theirs", "small")


@pytest.mark.parametrize("name", ["none", "small@000000000000", "small@../x", "small@champion"])
def test_what_is_not_there_is_not_found(
    store: ArtifactStore, reference: Reference, tmp_path: Path, name: str
) -> None:
    put(store, tmp_path, reference)
    with pytest.raises(NotFound):
        found_references(store, None, name)
    with pytest.raises(InvalidInput):
        found_references(store, None, "../small")


def test_a_damaged_artifact_is_refused(
    store: ArtifactStore, reference: Reference, tmp_path: Path
) -> None:
    digest = put(store, tmp_path, reference)
    (store.fetch("reference-small", digest[:12]) / DOCUMENT_FILE).write_text("{}")
    with pytest.raises(ArtifactRefused):
        found_references(store, None)


def test_a_damaged_artifact_hides_no_other(
    store: ArtifactStore, reference: Reference, tmp_path: Path
) -> None:
    bad = put(store, tmp_path, reference)
    (store.fetch("reference-small", bad[:12]) / DOCUMENT_FILE).write_text("{}")
    good = put(store, tmp_path, replace(reference, created_at=NEWER))
    damaged: dict[str, ArtifactRefused] = {}
    found = found_references(store, None, "", damaged.__setitem__)
    assert [f.digest for f in found] == [good]
    assert list(damaged) == [f"small@{bad[:12]}"]


def test_a_removed_champion_is_restored(
    store: ArtifactStore, reference: Reference, tmp_path: Path
) -> None:
    old = put(store, tmp_path, reference)
    new = put(store, tmp_path, replace(reference, created_at=NEWER))
    restored = restore_champion(store, found_references(store, HOUSE, "small"), lambda: 0.0)
    assert [f.champion for f in restored] == [False, True]
    alias = store.alias("reference-small", CHAMPION)
    assert alias is not None
    assert alias.digest == new
    again = restore_champion(store, found_references(store, HOUSE, "small"))
    assert [f.champion for f in again] == [False, True]
    chosen = found_references(store, HOUSE, f"small@{old[:12]}")
    (back,) = restore_champion(store, chosen)
    assert back.champion
    assert store.resolve("reference-small", CHAMPION).digest == old
