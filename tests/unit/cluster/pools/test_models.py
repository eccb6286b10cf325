"""The model behind a pool."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.errors import CommandFailed
from cluster.pools.models import require_model
from features.definitions import SCHEMA_ID
from fraud.variant import VariantRef
from models.store.location import open_store
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact


def test_a_pool_needs_a_model_of_the_served_features(tmp_path: Path) -> None:
    made = tiny_artifact(tmp_path, "xgboost", n_features=4, schema_id=SCHEMA_ID)
    point_alias(tmp_path, "xgboost", *made)
    other = tiny_artifact(tmp_path, "logistic", n_features=4, schema_id="0123456789ab")
    point_alias(tmp_path, "logistic", *other)
    store = open_store(str(tmp_path), Settings(home=tmp_path))
    assert require_model(store, VariantRef("xgboost")) == made[0]
    assert require_model(store, VariantRef("xgboost", version=made[0])) == made[0]
    for ref, why in (
        (VariantRef("logistic"), "other features"),
        (VariantRef("forest"), "has no model"),
        (VariantRef("xgboost", version="f" * 12), "has no model"),
        (VariantRef("xgboost", owner="acme"), "has no model"),
    ):
        with pytest.raises(CommandFailed) as refused:
            require_model(store, ref)
        assert why in refused.value.what
