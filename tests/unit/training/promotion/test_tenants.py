"""Models of one tenant replace another's only on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.errors import OtherTenant, StoreUnavailable
from models.store.location import open_store
from models.store.store import ArtifactStore
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact
from training.config import TrainConfig
from training.pipeline import train
from training.promotion.tenants import keep_other_tenants


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    # Nothing listens there: what is refused is refused before anything is read.
    return Settings(home=tmp_path, database_url=SecretStr("postgresql://127.0.0.1:1/none"))


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    return open_store(str(settings.artifacts), settings)


def champion(settings: Settings, variant: str, tenant: str | None, **options: Any) -> None:
    training = {} if tenant is None else {"tenant": tenant}
    told = {"n_features": N_FEATURES, "schema_id": SCHEMA_ID, "training": training, **options}
    point_alias(settings.artifacts, variant, *tiny_artifact(settings.artifacts, variant, **told))


def test_a_champion_of_another_tenant_stays(settings: Settings, store: ArtifactStore) -> None:
    champion(settings, "xgboost", "shop")
    champion(settings, "logistic", "bank")
    keep_other_tenants(store, {"xgboost": "shop", "logistic": "bank", "random-forest": "new"})
    with pytest.raises(OtherTenant, match=r"tenant mine .* tenant bank \(logistic\); shop"):
        keep_other_tenants(store, {"xgboost": "mine", "logistic": "mine"})


def test_unprotected_champions_may_be_replaced(settings: Settings, store: ArtifactStore) -> None:
    champion(settings, "xgboost", None)
    champion(settings, "logistic", "bank", schema_id="features-of-before")  # no replica loads it
    keep_other_tenants(store, {"xgboost": "mine", "logistic": "mine"})
    champion(settings, "random-forest", "bank")
    keep_other_tenants(store, {"random-forest": None})


def test_a_champion_of_a_table_has_an_owner_too(settings: Settings, store: ArtifactStore) -> None:
    columns = tuple(f"c{n}" for n in range(N_FEATURES))
    champion(settings, "ulb-xgboost", "bank", schema_id="a-table", columns=columns)
    with pytest.raises(OtherTenant, match="ulb-xgboost"):
        keep_other_tenants(store, {"ulb-xgboost": "mine"})


def test_training_is_refused_before_it_reads_anything(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # MLflow takes seconds to open, and no run gets that far here.
    monkeypatch.setattr("training.pipeline.Registry", lambda *_: None)
    champion(settings, "xgboost", "bank")
    with pytest.raises(OtherTenant, match="nothing was changed"):
        train(settings.model_copy(update={"tenant": "mine"}), TrainConfig())
    with pytest.raises(StoreUnavailable, match="refuses"):  # past the check
        train(settings.model_copy(update={"tenant": "mine"}), TrainConfig(), for_every_tenant=True)
