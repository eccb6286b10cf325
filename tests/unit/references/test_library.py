"""Sketches and folders by digest."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fraud.errors import ArtifactRefused
from models.store.location import store_of
from models.store.store import ArtifactStore
from references.files import write_reference
from references.library import Library
from references.reference import StoredReference
from settings.settings import Settings
from tests.contracts.references import small_reference


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return store_of(Settings(home=tmp_path / "home"))


@pytest.fixture
def stored(tmp_path: Path, store: ArtifactStore) -> StoredReference:
    reference, drawn = small_reference()
    digest = write_reference(tmp_path / "one", reference, drawn)
    store.put(tmp_path / "one", "reference-small", digest)
    return StoredReference(reference, digest[:12], digest, "champion", 1, store.url)


def test_a_sketch_is_read_once(store: ArtifactStore, stored: StoredReference) -> None:
    library = Library(store)
    first = library.sketch(stored)
    assert first.equals(small_reference()[1])
    shutil.rmtree(library.folder("reference-small", stored.digest))
    assert library.sketch(stored) is first
    with pytest.raises(ArtifactRefused):
        Library(store).sketch(stored)


def test_a_reference_is_read_with_its_sketch(store: ArtifactStore, stored: StoredReference) -> None:
    reference, drawn = Library(store).read("small", stored.digest)
    assert reference == stored.reference
    assert drawn.num_rows == 400
