"""A push to another store: references travel with their models, and the last push can be undone."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from fraud.errors import ArtifactRefused, NotFound
from models.store.alias import CHALLENGER, CHAMPION, Alias
from models.store.location import open_store
from models.store.store import ArtifactStore
from references.files import write_reference
from references.reference import ReferenceModel
from settings.settings import Settings
from tests.contracts.artifacts import tiny_artifact
from tests.contracts.references import small_reference
from training.registry.push import Push


def store_at(folder: Path) -> ArtifactStore:
    return open_store(str(folder), Settings(home=folder / "home"))


@pytest.fixture
def here(tmp_path: Path) -> ArtifactStore:
    return store_at(tmp_path / "here")


@pytest.fixture
def there(tmp_path: Path) -> ArtifactStore:
    return store_at(tmp_path / "there")


@pytest.fixture
def push(here: ArtifactStore, there: ArtifactStore) -> Push:
    seconds = count()
    return Push(here, there, clock_s=lambda: float(next(seconds)))


def made(store: ArtifactStore, tmp_path: Path, variant: str, slope: float) -> str:
    """Put a model into the store and return its digest."""
    root = tmp_path / f"{variant}-{slope}"
    version, digest = tiny_artifact(root, variant, n_features=2, schema_id="s", slope=slope)
    store.put(root / variant / version, variant, digest)
    return digest


def champions(store: ArtifactStore) -> dict[str, str]:
    found = {v: store.alias(v, CHAMPION) for v in store.variants()}
    return {variant: alias.digest for variant, alias in found.items() if alias is not None}


def test_a_reference_travels_with_models_that_are_no_champions(
    here: ArtifactStore, there: ArtifactStore, push: Push, tmp_path: Path
) -> None:
    digest = made(here, tmp_path, "small-xgboost", 1.0)
    reference, drawn = small_reference()
    model = ReferenceModel("small-xgboost", digest, "supervised")
    written = write_reference(tmp_path / "one", replace(reference, models=(model,)), drawn)
    here.put(tmp_path / "one", "reference-small", written)
    here.set_alias("reference-small", CHAMPION, Alias(written))
    assert {a.variant for a in push.preview().artifacts} == {"reference-small", "small-xgboost"}
    push.send(reread=False)
    assert there.versions("small-xgboost") == [digest[:12]]
    assert champions(there) == {"reference-small": written}
    assert push.verify() == (2, [])


def test_the_last_push_is_undone_and_only_that(
    here: ArtifactStore, there: ArtifactStore, push: Push, tmp_path: Path
) -> None:
    first, second = (made(here, tmp_path, "xgboost", slope) for slope in (1.0, 2.0))
    here.set_alias("xgboost", CHAMPION, Alias(first))
    push.send(reread=False)
    here.set_alias("xgboost", CHAMPION, Alias(second))
    here.set_alias("xgboost", CHALLENGER, Alias(first), "mine")
    push.send(reread=False)
    assert champions(there) == {"xgboost": second}
    assert push.roll_back() == {"xgboost@champion": first[:12], "xgboost@mine/challenger": None}
    assert champions(there) == {"xgboost": first}
    assert there.alias("xgboost", CHALLENGER, "mine") is None
    with pytest.raises(NotFound, match="no push to roll back"):
        push.roll_back()
    assert push.send(reread=False).aliases == {
        "xgboost@champion": second[:12],
        "xgboost@mine/challenger": first[:12],
    }, "it can be pushed again"


def test_nothing_moves_if_a_former_model_is_gone(
    here: ArtifactStore, there: ArtifactStore, push: Push, tmp_path: Path
) -> None:
    first, second = (made(here, tmp_path, "xgboost", slope) for slope in (1.0, 2.0))
    for digest in (first, second):
        here.set_alias("xgboost", CHAMPION, Alias(digest))
        push.send(reread=False)
    (there.fetch("xgboost", first[:12]) / "model.onnx").unlink()
    with pytest.raises(ArtifactRefused, match="xgboost@champion cannot go back"):
        push.roll_back()
    assert champions(there) == {"xgboost": second}


def test_a_store_without_a_push_has_nothing_to_undo(push: Push) -> None:
    with pytest.raises(NotFound):
        push.roll_back()
