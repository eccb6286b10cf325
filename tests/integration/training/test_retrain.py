"""`quorum retrain` without its training: new labels are counted, the lock holds, the serving models
stay. The training itself is that of `quorum train`, which tests/cluster covers; here it is a
function that
registers tiny challengers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from cluster.cli import run as quorum
from deciding.plans.table import activate_plan, active_plan
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.errors import Busy
from fraud.plan import Plan
from models.scoring.scorer import Scorer
from models.store.alias import CHALLENGER
from models.store.location import store_of
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.labelled import START, load_labelled
from training.promotion.assessment import Assessor
from training.promotion.gates import GateConfig
from training.registry.locks import MODELS, RETRAIN, advisory_lock, registry_lock
from training.registry.mlflow_registry import TRAINING, Registry
from training.report import TrainingReport, VariantReport
from training.retrain import RetrainResult, retrain

ROWS = 1_500


@pytest.fixture(scope="module")
def settings(
    database_url: str, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    asyncio.run(load_labelled(database_url, ROWS, 40))
    home = tmp_path_factory.mktemp("home")
    made = Settings(
        home=home,
        database_url=SecretStr(database_url),
        mlflow_tracking_uri=registry.tracking_uri,
    )
    version, digest = _tiny(made, 0.0005)
    point_alias(made.artifacts, "xgboost", version, digest)
    asyncio.run(activate_plan(database_url, PLAN))
    return made


PLAN = Plan(
    "default", 1, Ensemble((Member("xgboost", 1.0),), Thresholds(0.3, 0.4, 0.5), kind="single")
)


def _tiny(settings: Settings, slope: float) -> tuple[str, str]:
    until = START.replace(day=20).isoformat()
    return tiny_artifact(
        settings.artifacts,
        n_features=N_FEATURES,
        schema_id=SCHEMA_ID,
        slope=slope,
        training={"window": {"calibration_end": until}},
    )


def _now(database_url: str) -> str:
    async def ask() -> str:
        connection = await asyncpg.connect(database_url)
        try:
            return str((await connection.fetchval("SELECT clock_timestamp()")).isoformat())
        finally:
            await connection.close()

    return asyncio.run(ask())


class Training:
    """Registers a tiny challenger under a run that states when it read its labels."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.roles: list[str] = []

    def __call__(self, role: str) -> TrainingReport:
        self.roles.append(role)
        url = self.settings.database_url
        assert url is not None
        tags = {"schema_id": SCHEMA_ID, "tenant": self.settings.tenant}
        tags["as_of"] = _now(url.get_secret_value())
        version, digest = _tiny(self.settings, 0.0004)
        with self.registry.run("train", {**TRAINING, **tags}) as whole:
            told = {"digest": digest, "run": whole.info.run_id}
            self.registry.register(whole, "xgboost", told, "artifact")
        point_alias(self.settings.artifacts, "xgboost", version, digest, role)
        one = VariantReport("xgboost", "supervised", version, digest, "1", 1, {})
        return TrainingReport(
            variants=(one,),
            ensemble={},
            plan=PLAN,
            baseline=None,
            rows={},
            frauds={},
            window={},
            schema_id=SCHEMA_ID,
            seed=7,
        )


@pytest.fixture
def again(
    settings: Settings, registry: Registry
) -> tuple[Training, Callable[[int], RetrainResult]]:
    training = Training(settings, registry)
    assessor = Assessor(
        settings, store_of(settings), Scorer.load, GateConfig(resamples=100), lambda *_: None
    )

    def run(min_labels: int) -> RetrainResult:
        return retrain(settings, min_labels, training, lambda: registry, assessor)

    return training, run


def test_challengers_are_made_of_what_is_new_and_nothing_else_moves(
    settings: Settings,
    database_url: str,
    again: tuple[Training, Callable[[int], RetrainResult]],
) -> None:
    training, run = again
    champion = (settings.artifacts / "xgboost/aliases/champion.json").read_bytes()
    first = run(100)
    assert (first.trained, first.since, first.new_labels) == (True, None, ROWS)
    assert training.roles == [CHALLENGER]
    document: dict[str, Any] = first.document()
    json.dumps(document)
    assert {g["name"] for g in document["comparison"]["gates"]} >= {"schema", "not worse"}
    assert document["comparison"]["ground"]["frauds"] > 0

    nothing = run(1)
    assert (nothing.trained, nothing.new_labels) == (False, 0)
    asyncio.run(load_labelled(database_url, 30, 1, first=ROWS))
    few = run(31)
    assert (few.trained, few.new_labels) == (False, 30)
    assert "fewer than 31" in few.summary
    enough = run(30)
    assert (enough.trained, enough.new_labels) == (True, 30)
    assert training.roles == [CHALLENGER, CHALLENGER]
    assert (settings.artifacts / "xgboost/aliases/champion.json").read_bytes() == champion
    assert asyncio.run(active_plan(database_url)) == PLAN


def test_the_second_of_two_reports_it_and_stops(
    settings: Settings,
    database_url: str,
    again: tuple[Training, Callable[[int], RetrainResult]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    training, run = again
    monkeypatch.setenv("QUORUM_HOME", str(settings.home))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("QUORUM_MLFLOW_TRACKING_URI", settings.tracking_uri)
    with advisory_lock(database_url, RETRAIN, settings.tenant):
        with pytest.raises(Busy):
            run(0)
        assert quorum(["retrain", "--json"]) == 75
        said = capsys.readouterr()
        assert said.out == ""
        assert "another retraining" in said.err.splitlines()[-1]
        with advisory_lock(database_url, RETRAIN, "another tenant"):
            pass
    assert training.roles == []
    assert not run(10**9).trained  # free again


def test_too_few_labels_are_no_failure(
    settings: Settings,
    database_url: str,
    again: tuple[Training, Callable[[int], RetrainResult]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    again[0](CHALLENGER)
    monkeypatch.setenv("QUORUM_HOME", str(settings.home))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("QUORUM_MLFLOW_TRACKING_URI", settings.tracking_uri)
    assert quorum(["retrain", "--min-labels", "5", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["trained"], said["new_labels"], said["report"]) == (False, 0, None)


def test_a_lock_goes_with_its_session(database_url: str) -> None:
    async def lost() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = $$quorum.retrain$$"
            )
        finally:
            await connection.close()

    with advisory_lock(database_url, RETRAIN, "t"):
        asyncio.run(lost())
        with advisory_lock(database_url, RETRAIN, "t", wait_s=10):
            pass


def test_a_lock_is_waited_for_only_so_long(settings: Settings, database_url: str) -> None:
    with advisory_lock(database_url, MODELS), pytest.raises(Busy), registry_lock(settings, 0.0):
        pass


def test_without_a_database_a_file_is_locked(tmp_path: Path) -> None:
    alone = Settings(home=tmp_path / "new", database_url=None)
    with registry_lock(alone, 0.0), pytest.raises(Busy), registry_lock(alone, 0.0):
        pass
    with registry_lock(alone, 0.0):
        pass
