"""An owner's champions learn from its own payments, the house's from others only on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.errors import OtherTenant, StoreUnavailable
from fraud.variant import HOUSE
from models.store.location import open_store
from models.store.store import ArtifactStore
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact
from training.config import TrainConfig
from training.pipeline import train
from training.promotion.tenants import require_own_payments


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


def test_a_tenant_takes_only_what_learnt_from_its_payments(
    settings: Settings, store: ArtifactStore
) -> None:
    champion(settings, "xgboost", "default")  # the house's, which no tenant replaces
    require_own_payments(store, "mine", "default", {"xgboost": "mine", "logistic": "mine"})
    with pytest.raises(OtherTenant, match=r"of tenant bank \(logistic\) .* tenant mine: nothing"):
        require_own_payments(store, "mine", "default", {"xgboost": "mine", "logistic": "bank"})
    with pytest.raises(OtherTenant, match=r"of no known tenant \(xgboost\)"):
        require_own_payments(store, "mine", "default", {"xgboost": None})


def test_the_house_takes_only_what_learnt_from_the_home_tenant(
    settings: Settings, store: ArtifactStore
) -> None:
    champion(settings, "xgboost", "shop")
    champion(settings, "logistic", "bank")
    require_own_payments(store, HOUSE, "shop", {"xgboost": "shop", "random-forest": "shop"})
    with pytest.raises(OtherTenant, match=r"of tenant new \(xgboost\) .* the house, .* shop"):
        require_own_payments(store, HOUSE, "shop", {"xgboost": "new"})
    # Somebody made bank's model the house's on purpose: the home tenant does not undo it unasked.
    with pytest.raises(OtherTenant, match=r"champions of tenant bank \(logistic\)"):
        require_own_payments(store, HOUSE, "shop", {"xgboost": "shop", "logistic": "shop"})


def test_unprotected_champions_may_be_replaced(settings: Settings, store: ArtifactStore) -> None:
    champion(settings, "xgboost", None)
    champion(settings, "logistic", "bank", schema_id="features-of-before")  # no replica loads it
    require_own_payments(store, HOUSE, "mine", {"xgboost": "mine", "logistic": "mine"})
    champion(settings, "random-forest", "bank")
    require_own_payments(store, HOUSE, "mine", {"random-forest": None})


def test_a_champion_of_a_table_has_a_tenant_too(settings: Settings, store: ArtifactStore) -> None:
    columns = tuple(f"c{n}" for n in range(N_FEATURES))
    champion(settings, "ulb-xgboost", "bank", schema_id="a-table", columns=columns)
    with pytest.raises(OtherTenant, match="ulb-xgboost"):
        require_own_payments(store, HOUSE, "mine", {"ulb-xgboost": "mine"})


def test_training_is_refused_before_it_reads_anything(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # MLflow takes seconds to open, and no run gets that far here.
    monkeypatch.setattr("training.pipeline.Registry", lambda *_: None)
    champion(settings, "xgboost", "bank")
    with pytest.raises(OtherTenant, match="nothing was changed"):
        train(settings, TrainConfig())
    for_all = {"for_every_tenant": True}
    for who, options in (("default", for_all), ("mine", {}), ("mine", for_all)):
        with pytest.raises(StoreUnavailable, match="refuses"):  # past the check
            train(settings.for_tenant(who), TrainConfig(), **options)
