"""Versions with the aliases of all owners; the error for a misspelt name suggests the nearest."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.run.status import champions
from fraud.errors import ArtifactRefused, NotFound
from models.scoring.served_model import ServedModel
from models.store.location import open_store
from references.files import write_reference
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.references import small_reference
from training.registry.catalogue import Catalogue


@pytest.mark.parametrize(
    ("variant", "name", "said"),
    [
        ("xgbost", "champion", "there is no variant 'xgbost': did you mean xgboost?"),
        ("zzz", "7", "there is no variant 'zzz': `quorum models list` names them"),
        ("xgboost", "champoin", "no artifact or alias 'champoin': did you mean champion?"),
        ("xgboost", "zzz", "no artifact or alias 'zzz': `quorum models list` lists versions"),
    ],
)
def test_what_is_not_there(variant: str, name: str, said: str, tmp_path: Path) -> None:
    aliases = tmp_path / "xgboost" / "aliases"
    aliases.mkdir(parents=True)
    (aliases / "champion.json").write_text("{}")
    catalogue = Catalogue(open_store(str(tmp_path), Settings(home=tmp_path)), None)
    with pytest.raises(NotFound) as refused:
        catalogue.version(variant, name)
    assert str(refused.value.args[0]).endswith(said)


def test_whose_aliases_name_a_version(tmp_path: Path) -> None:
    def made(slope: float, tenant: str) -> tuple[str, str]:
        learnt = {"tenant": tenant}
        return tiny_artifact(tmp_path, n_features=4, schema_id="s", slope=slope, training=learnt)

    house, mine, theirs = made(1.0, "default"), made(2.0, "mine"), made(3.0, "theirs")
    point_alias(tmp_path, "xgboost", *house)
    point_alias(tmp_path, "xgboost", *mine, owner="mine")
    point_alias(tmp_path, "xgboost", *theirs, owner="theirs", alias="challenger")
    catalogue = Catalogue(open_store(str(tmp_path), Settings(home=tmp_path)), None)
    listed = {entry.version: (entry.tenant, entry.aliases) for entry in catalogue.entries()}
    assert listed == {
        house[0]: ("default", ["champion"]),
        mine[0]: ("mine", ["mine/champion"]),
        theirs[0]: ("theirs", ["theirs/challenger"]),
    }
    assert [entry.version for entry in catalogue.entries(tenant="mine")] == [mine[0]]
    assert catalogue.version("xgboost", "champion") == house[0]
    assert catalogue.version("xgboost", "champion", "mine") == mine[0]
    with pytest.raises(NotFound, match=r"'theirs/champion': `quorum models list`"):
        catalogue.version("xgboost", "champion", "theirs")


def test_references_are_no_models(tmp_path: Path) -> None:
    model = tiny_artifact(tmp_path, n_features=4, schema_id="s")
    point_alias(tmp_path, "xgboost", *model)
    reference, drawn = small_reference()
    digest = write_reference(tmp_path / "reference-small" / "new", reference, drawn)
    (tmp_path / "reference-small" / "new").rename(tmp_path / "reference-small" / digest[:12])
    point_alias(tmp_path, "reference-small", digest[:12], digest)
    store = open_store(str(tmp_path), Settings(home=tmp_path))
    catalogue = Catalogue(store, None)
    assert [entry.variant for entry in catalogue.entries()] == ["xgboost"]
    (named,) = catalogue.entries("reference-small")
    assert (named.family, named.aliases, named.fault) == ("reference", ["champion"], None)
    assert [champion["variant"] for champion in champions(store)] == ["xgboost"]
    with pytest.raises(ArtifactRefused, match="a reference, not a model"):
        ServedModel(store, "reference-small", "champion", reference.schema_id)
