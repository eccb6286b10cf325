"""`quorum train` end to end: real Ray Train, MLflow on SQLite, PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from features.definitions import SCHEMA_ID
from fraud.errors import NotTrainable
from fraud.plan import Plan
from models.artifact import read_manifest
from settings.settings import Settings
from tests.contracts.labelled import load_labelled
from training.config import TrainConfig
from training.pipeline import train
from training.registry.mlflow_registry import Registry
from training.report import TrainingReport

ROWS = 6_000
DAYS = 60
SMALL = {
    "xgboost": {"rounds": 20},
    "random_forest": {"trees": 10},
    "isolation_forest": {"trees": 10, "sample_rows": 64},
    "split": {"warmup_days": 5},
    "report": {"resamples": 20, "importance_features": 6, "effects": 2},
}


async def _plans(database_url: str) -> list[tuple[int, bool, str]]:
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(
            "SELECT version, active, document FROM plans ORDER BY version"
        )
    finally:
        await connection.close()
    return [(r["version"], r["active"], r["document"]) for r in rows]


@pytest.fixture(scope="module")
def settings(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    paid = load_labelled(
        database_url,
        ROWS,
        DAYS,
        fraud_share=0.02,
        fraud_log_amount=8.5,
        customers=80,
        merchants=30,
    )
    asyncio.run(paid)
    home = tmp_path_factory.mktemp("home")
    return Settings(home=home, database_url=SecretStr(database_url))


@pytest.fixture(scope="module")
def told() -> list[tuple[str, int, int]]:
    return []


@pytest.fixture(scope="module")
def report(
    settings: Settings, told: list[tuple[str, int, int]], training_ray: None
) -> TrainingReport:
    # A search of one trial tries the parameters as they are told: the models stay the same.
    searched = {**SMALL, "search": {"trials": 1, "variants": ["logistic"]}}
    return train(
        settings, TrainConfig.model_validate(searched), lambda *progress: told.append(progress)
    )


def test_champions_are_whole_and_of_this_schema(settings: Settings, report: TrainingReport) -> None:
    assert [v.name for v in report.variants] == [
        "xgboost", "random-forest", "logistic", "isolation-forest",
    ]  # fmt: skip
    for variant in report.variants:
        folder = settings.artifacts / variant.name
        alias = json.loads((folder / "aliases" / "champion.json").read_text())
        assert (alias["version"], alias["digest"]) == (variant.version, variant.digest)
        assert [(m["digest"], m["how"]) for m in alias["moves"]] == [(variant.digest, "trained")]
        manifest, _ = read_manifest(folder / variant.version, variant.digest)
        assert manifest.schema_id == SCHEMA_ID
        assert manifest.metrics == variant.metrics
        assert manifest.training["rows"] == report.rows
        assert {"golden.npz", "reference.npz"} <= set(manifest.files)
    assert (
        "model.ubj"
        in read_manifest(settings.artifacts / "xgboost" / report.variants[0].version)[0].files
    )


def test_models_find_what_there_is_to_find(report: TrainingReport) -> None:
    for variant in report.variants:
        floor = 0.8 if variant.family == "supervised" else 0.5
        assert variant.metrics["roc_auc"] > floor, variant.name
    assert report.ensemble["roc_auc"] > 0.85
    assert report.ensemble["calibration_error"] < 0.02
    assert report.ensemble["share_block"] <= report.ensemble["share_challenge"] < 0.05


def test_the_search_is_reported(report: TrainingReport) -> None:
    (trial,) = report.choices["search"]
    assert (trial["variant"], trial["trial"], trial["effort"]) == ("logistic", 0, 1.0)
    assert 0 < trial["average_precision"] <= 1
    assert trial["parameter.inverse_penalty"] == TrainConfig().logistic.inverse_penalty


def test_the_plan_is_active(database_url: str, report: TrainingReport) -> None:
    stored = asyncio.run(_plans(database_url))
    assert [(version, active) for version, active, _ in stored][-1][0] >= report.plan.version
    version, _, document = stored[report.plan.version - 1]
    assert version == report.plan.version
    assert Plan.from_document(json.loads(document)) == report.plan
    voters = [v.name for v in report.variants if v.family == "supervised"]
    asked = [m.variant for m in report.plan.ensemble.members]
    assert asked == voters if report.plan.kind == "ensemble" else asked[0] in voters
    assert report.plan.variants == (*asked, "isolation-forest")


def test_the_registry_knows_the_champions(settings: Settings, report: TrainingReport) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(settings.tracking_uri, settings.tracking_uri)
    for variant in report.variants:
        found = client.get_model_version_by_alias(f"quorum-{variant.name}", "champion")
        assert str(found.version) == variant.registered
        assert found.tags["digest"] == variant.digest
        run = client.get_run(found.run_id)
        assert run.info.status == "FINISHED"
        logged = run.data.metrics
        assert {n: logged[n] for n in variant.metrics} == pytest.approx(variant.metrics)
        assert logged["roc_auc_low"] < logged["roc_auc"] < logged["roc_auc_high"]
        assert run.data.tags["mlflow.parentRunId"]
        names = {f.path for f in client.list_artifacts(found.run_id, "artifact")}
        assert {"artifact/manifest.json", "artifact/MLmodel"} <= names


def test_the_run_is_in_the_registry_and_on_a_page(
    settings: Settings, report: TrainingReport
) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(settings.tracking_uri, settings.tracking_uri)
    run = client.get_run(report.run_id)
    assert run.data.params["window.test_end"] == report.window["test_end"]
    assert run.data.params["rows.train"] == str(report.rows["train"])
    assert run.data.params["code"]
    assert run.data.tags["schema_id"] == report.schema_id
    assert run.data.tags["leak_guard"] == "clean"
    assert report.to_document()["findings"] == ()
    assert run.data.metrics["average_precision_high"] > run.data.metrics["average_precision"]
    logged = {f.path for f in client.list_artifacts(report.run_id)}
    assert logged >= {
        "config.json", "evaluation.json", "pictures", "plan.json", "report.html", "search.json",
    }  # fmt: skip
    assert ("cascade_plan.json" in logged) == (report.choices["cascade"]["reason"] == "")
    assert report.beside_plan.items() <= run.data.metrics.items()
    subsets = [n.split("/")[1] for n in report.beside_plan if n.endswith("/calibration_error")]
    assert subsets == list(report.choices["subsets"])
    assert report.report == str(settings.home / "reports" / f"train-{report.run_id}.html")
    page = Path(report.report).read_text(encoding="utf-8")
    assert report.run_id in page
    assert all(variant.version in page for variant in report.variants)


def test_progress_reports_each_stage_to_its_end(
    report: TrainingReport, told: list[tuple[str, int, int]]
) -> None:
    last = {stage: (done, total) for stage, done, total in told}
    assert list(last) == [
        "history",
        "guard",
        "features",
        "search",
        "fit",
        "judge",
        "report",
        "publish",
    ]
    assert all(done == total for done, total in last.values())
    assert last["features"] == (ROWS, ROWS)


def test_same_seed_and_data_give_the_same_digests(
    settings: Settings, database_url: str, report: TrainingReport
) -> None:
    again = train(settings, TrainConfig.model_validate(SMALL))
    assert [v.digest for v in again.variants] == [v.digest for v in report.variants]
    assert again.plan.version == report.plan.version + 1
    assert again.ensemble == report.ensemble
    active = [version for version, is_active, _ in asyncio.run(_plans(database_url)) if is_active]
    assert active == [again.plan.version]


def test_a_run_that_dies_while_registering_leaves_the_champions(
    settings: Settings,
    database_url: str,
    report: TrainingReport,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mlflow import MlflowClient

    aliases = sorted(settings.artifacts.glob("*/aliases/champion.json"))
    before = [path.read_bytes() for path in aliases], asyncio.run(_plans(database_url))
    register = Registry.register

    def interrupted(self: Registry, run: Any, variant: str, *rest: Any) -> str:
        if variant == "isolation-forest":
            raise KeyboardInterrupt
        return register(self, run, variant, *rest)

    monkeypatch.setattr(Registry, "register", interrupted)
    # The variants that are quickly fitted: it dies after one is registered.
    few = {"seed": 8, "variants": ["logistic", "isolation-forest"]}
    with pytest.raises(KeyboardInterrupt):
        train(settings, TrainConfig.model_validate({**SMALL, **few}))
    assert ([path.read_bytes() for path in aliases], asyncio.run(_plans(database_url))) == before
    client = MlflowClient(settings.tracking_uri, settings.tracking_uri)
    for variant in report.variants:
        name = f"quorum-{variant.name}"
        newest = max(int(v.version) for v in client.search_model_versions(f"name='{name}'"))
        champion = client.get_model_version_by_alias(name, "champion")
        assert int(champion.version) == newest


def test_too_short_a_history_is_reported_in_a_sentence(settings: Settings) -> None:
    config = TrainConfig.model_validate({"split": {"warmup_days": 100}})
    with pytest.raises(NotTrainable, match="days of history leave nothing to train on"):
        train(settings, config)


def test_a_missing_database_is_reported_in_a_sentence(settings: Settings) -> None:
    with pytest.raises(NotTrainable, match="DATABASE_URL"):
        train(settings.model_copy(update={"database_url": None}), TrainConfig())
