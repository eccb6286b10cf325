"""The pools that active plans in a real PostgreSQL need."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from cluster.node.deploy import read_config
from cluster.pools.declared import Declaration, DeclaredPools
from cluster.pools.deployment import whole_deployment
from deciding.plans.table import activate_plan
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.plan import Plan
from settings.settings import Settings
from tests.contracts.root import ROOT


class Dashboard:
    """Serve runs these applications."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def serve_details(self) -> dict[str, Any]:
        return {"applications": {name: {"status": "RUNNING"} for name in self._names}}


@pytest.fixture
def settings(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    return Settings.load()


def plan(*variants: str) -> Plan:
    members = tuple(Member(variant, 1.0) for variant in variants)
    return Plan("p", 1, Ensemble(members, Thresholds(0.1, 0.2, 0.3)))


def test_plans_of_all_owners_get_their_pools(settings: Settings, database_url: str) -> None:
    asyncio.run(activate_plan(database_url, plan("xgboost", "logistic@2fd6da9b13f3")))
    asyncio.run(activate_plan(database_url, plan("acme/xgboost", "xgboost"), "acme"))
    DeclaredPools.of(settings.home).add(Declaration(name="catboost"))
    dashboard = Dashboard("decisions", "variant-xgboost", "variant-gone", "variant-catboost")
    config = read_config(ROOT / "serve_config.yaml")
    whole = whole_deployment(settings, config, dashboard)  # type: ignore[arg-type]
    names = [application["name"] for application in whole.config["applications"]]
    assert names == [
        *(application["name"] for application in config["applications"]),
        "variant-xgboost.Tacme",
        "variant-catboost",
        "variant-logistic.V2fd6da9b13f3",
    ]
    assert {pool.name: pool.why for pool in whole.pools if pool.plans} == {
        "xgboost": "in the Serve configuration, plan p v1, plan p v1 of acme",
        "acme/xgboost": "plan p v1 of acme",
        "logistic@2fd6da9b13f3": "plan p v1",
    }
    added = {pool.name for pool in whole.added}
    assert {"acme/xgboost", "logistic@2fd6da9b13f3"} < added
    assert not {"xgboost", "catboost"} & added
    assert whole.removed == ("gone",)


def test_while_a_plan_cannot_be_read_every_pool_stays(
    settings: Settings, database_url: str
) -> None:
    async def spoil() -> None:
        connection = await asyncpg.connect(database_url)
        await connection.execute("UPDATE plans SET document = '{}' WHERE owner = 'acme'")
        await connection.close()

    asyncio.run(activate_plan(database_url, plan("acme/xgboost"), "acme"))
    asyncio.run(activate_plan(database_url, plan("other/xgboost"), "other"))
    asyncio.run(spoil())
    config = read_config(ROOT / "serve_config.yaml")
    whole = whole_deployment(settings, config, Dashboard("variant-gone"))  # type: ignore[arg-type]
    assert whole.removed == ()
    assert {"gone", "other/xgboost"} <= {pool.name for pool in whole.pools}
    assert "of tenant acme" in whole.trouble
