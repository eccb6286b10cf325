"""The models in the artifact store, as plans name them."""

from __future__ import annotations

import pytest

from deciding.plans.stored_models import StoredModels
from fraud.variant import VariantRef
from models.store.alias import CHAMPION, Alias
from models.store.location import open_store
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact


@pytest.fixture
def models(tmp_path):
    version, digest = tiny_artifact(tmp_path, "xgboost", n_features=4, schema_id="served")
    point_alias(tmp_path, "xgboost", version, digest)
    tiny_artifact(tmp_path, "logistic", n_features=4, schema_id="served")
    store = open_store(str(tmp_path), Settings(home=tmp_path))
    return StoredModels(store, "home"), version


def test_a_name_means_a_champion_or_a_version(models):
    found, version = models
    assert found.schema_of(VariantRef("xgboost")) == "served"
    assert found.schema_of(VariantRef("xgboost", version=version)) == "served"


def test_a_tenants_champion_is_its_own(models, tmp_path):
    found, _ = models
    _, digest = tiny_artifact(tmp_path, "xgboost", n_features=4, schema_id="its", slope=2.0)
    store = open_store(str(tmp_path), Settings(home=tmp_path))
    store.set_alias("xgboost", CHAMPION, Alias(digest), "acme")
    assert found.schema_of(VariantRef("xgboost", owner="acme")) == "its"
    assert found.schema_of(VariantRef("xgboost")) == "served"
    assert found.schema_of(VariantRef("xgboost", owner="other")) is None


def test_what_is_not_there_has_no_schema(models, tmp_path):
    found, version = models
    for name in ("logistic", "nothing", f"logistic@{version}", "xgboost@ffffffffffff"):
        assert found.schema_of(VariantRef.parse(name)) is None, name
    (tmp_path / "xgboost" / "aliases" / "champion.json").write_text("rot")
    assert found.schema_of(VariantRef("xgboost")) is None


def learnt(root, tenant, slope):
    training = {"tenant": tenant}
    return tiny_artifact(
        root, "xgboost", n_features=4, schema_id="served", slope=slope, training=training
    )


def test_a_version_is_not_found_for_another_than_the_tenant_it_learnt_from(models, tmp_path):
    found, _ = models
    ours, _ = learnt(tmp_path, "home", 2.0)
    theirs, digest = learnt(tmp_path, "mine", 3.0)

    def seen(name: str) -> bool:
        return found.schema_of(VariantRef.parse(name)) is not None

    assert seen(f"xgboost@{ours}")
    assert not seen(f"xgboost@{theirs}")
    assert seen(f"mine/xgboost@{theirs}")
    assert not seen(f"mine/xgboost@{ours}")
    assert not seen(f"other/xgboost@{theirs}")
    point_alias(tmp_path, "xgboost", theirs, digest)
    assert seen(f"xgboost@{theirs}"), "somebody made it the house's champion"
