"""The artifact of a reference: what is written is read, and damage is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from fraud.errors import ArtifactRefused, InvalidInput
from models.artifact import MANIFEST, sha256_of
from models.scoring.scorer import Scorer
from models.store.location import store_of
from references.files import DOCUMENT_FILE, SKETCH_FILE, read_reference, write_reference
from settings.settings import Settings
from tests.contracts.artifacts import tiny_artifact
from tests.contracts.references import small_reference


def test_what_is_written_is_read(tmp_path: Path) -> None:
    reference, drawn = small_reference()
    digest = write_reference(tmp_path / "one", reference, drawn)
    read, table = read_reference(tmp_path / "one", digest)
    assert read == reference
    assert table.equals(drawn)
    assert write_reference(tmp_path / "two", reference, drawn) == digest
    other = replace(reference, rows=401)
    assert write_reference(tmp_path / "three", other, drawn) != digest


def test_every_damage_is_refused(tmp_path: Path) -> None:
    reference, drawn = small_reference()
    folder = tmp_path / "whole"
    digest = write_reference(folder, reference, drawn)
    for name in (MANIFEST, DOCUMENT_FILE, SKETCH_FILE):
        body = (folder / name).read_bytes()
        for damaged in (b"", body[:-1], body[: len(body) // 2], b"x" + body):
            (folder / name).write_bytes(damaged)
            with pytest.raises(ArtifactRefused):
                read_reference(folder, digest)
        (folder / name).unlink()
        with pytest.raises(ArtifactRefused):
            read_reference(folder, digest)
        (folder / name).write_bytes(body)
    with pytest.raises(ArtifactRefused):
        read_reference(folder, "0" * 64)
    assert read_reference(folder, digest)[0] == reference


@pytest.mark.parametrize(
    "document",
    ["[]", "{}", '{"name": "small"}', "null", '{"columns": [{"profile": {"kind": "odd"}}]}'],
)
def test_a_document_that_is_no_reference_is_refused(tmp_path: Path, document: str) -> None:
    reference, drawn = small_reference()
    write_reference(tmp_path / "one", reference, drawn)
    _replaced(tmp_path / "one", document)
    with pytest.raises(ArtifactRefused, match="no readable reference"):
        read_reference(tmp_path / "one")


def test_a_reference_under_another_name_is_refused(tmp_path: Path) -> None:
    reference, drawn = small_reference()
    write_reference(tmp_path / "one", reference, drawn)
    _replaced(tmp_path / "one", json.dumps(replace(reference, name="other").to_document()))
    with pytest.raises(ArtifactRefused, match="another name"):
        read_reference(tmp_path / "one")


def _replaced(folder: Path, document: str) -> None:
    """Replace the document and its digest, as somebody who forges an artifact would."""
    (folder / DOCUMENT_FILE).write_text(document)
    manifest = json.loads((folder / MANIFEST).read_bytes())
    manifest["files"][DOCUMENT_FILE] = sha256_of(folder / DOCUMENT_FILE)
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "..", "x" * 55, "a b", "-a"])
def test_names_that_the_store_cannot_keep_are_refused(tmp_path: Path, name: str) -> None:
    reference, drawn = small_reference()
    with pytest.raises(InvalidInput, match="cannot be the name of a reference"):
        write_reference(tmp_path / "one", replace(reference, name=name), drawn)
    assert not (tmp_path / "one").exists()


def test_a_model_is_no_reference_and_a_reference_no_model(tmp_path: Path) -> None:
    version, _ = tiny_artifact(tmp_path / "models", "xgboost", n_features=2, schema_id="s")
    with pytest.raises(ArtifactRefused, match="a model, not a reference"):
        read_reference(tmp_path / "models" / "xgboost" / version)
    reference, drawn = small_reference()
    digest = write_reference(tmp_path / "one", reference, drawn)
    with pytest.raises(ArtifactRefused, match="a reference, not a model"):
        Scorer.load(tmp_path / "one", digest, reference.schema_id)


def test_the_store_keeps_it_like_a_model(tmp_path: Path) -> None:
    reference, drawn = small_reference()
    digest = write_reference(tmp_path / "one", reference, drawn)
    store = store_of(Settings(home=tmp_path / "home"))
    assert store.put(tmp_path / "one", "reference-small", digest) == 3
    assert store.faults("reference-small", digest[:12], digest) == []
    folder = store.fetch("reference-small", digest[:12], digest)
    assert read_reference(folder, digest)[0] == reference
