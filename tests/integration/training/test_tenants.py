"""Tenants train on data sets of their own: each gets its own champions and plan, and the house's
stay. Real history in PostgreSQL, MLflow on SQLite; models are fitted in this process, without Ray.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from cluster.cli import run as quorum
from deciding.plans.table import active_of
from fraud.errors import OtherTenant
from fraud.plan import Plan
from fraud.variant import HOUSE
from models.scoring.scorer import Scorer
from models.store.alias import CHALLENGER, CHAMPION, alias_file
from models.store.location import store_of
from references.catalogue import visible
from references.library import Library
from references.reference import StoredReference
from settings.settings import Settings
from stores.postgres.connect import connection
from tests.contracts.labelled import load_labelled
from training.config import TrainConfig
from training.pipeline import train
from training.promotion.assessment import Assessor
from training.promotion.gates import GateConfig
from training.promotion.promotion import Promoter
from training.promotion.result import Force
from training.reference.payment_fields import REQUIRED
from training.registry.mlflow_registry import Registry
from training.registry.owner_plans import deciding
from training.report import TrainingReport
from training.run import Run

OWNERS = (HOUSE, "mine", "Theirs.eu")
VARIANTS = ("xgboost", "logistic")
SMALL = {
    "variants": list(VARIANTS),
    "xgboost": {"rounds": 15},
    "cross_fit": {"use": "always", "folds": 2, "first": 0.5},
    "split": {"warmup_days": 5},
    "report": {"resamples": 20, "importance_features": 0, "effects": 0},
}
GATES = GateConfig(
    min_frauds=5, max_calibration_error=1.0, max_said_ratio=1e9, max_band_ratio=1e9, resamples=100
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """One of its own: whole trainings of the home tenant would be news to other tests."""
    folder = tmp_path_factory.mktemp("mlflow")
    return Registry(f"sqlite:///{folder / 'mlflow.db'}", folder / "mlruns")


@pytest.fixture(scope="module")
def in_process() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "fits_here", True)
        yield


@pytest.fixture(scope="module")
def home(
    database_url: str, registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """Settings of the home tenant. Fraud at `mine` is small amounts, elsewhere large ones."""
    for seed, (tenant, log_amount) in enumerate(
        (("default", 8.5), ("mine", 5.5), ("Theirs.eu", 8.5)), start=3
    ):
        asyncio.run(
            load_labelled(
                database_url,
                4_000,
                60,
                seed=seed,
                fraud_share=0.03,
                fraud_log_amount=log_amount,
                customers=80,
                tenant=tenant,
            )
        )
    folder = tmp_path_factory.mktemp("home")
    return Settings(
        home=folder,
        database_url=SecretStr(database_url),
        mlflow_tracking_uri=registry.tracking_uri,
    )


Trained = Callable[..., TrainingReport]


@pytest.fixture(scope="module")
def trained(home: Settings, in_process: None) -> Trained:
    def run(tenant: str, *, seed: int = 7, **options: Any) -> TrainingReport:
        config = TrainConfig.model_validate({**SMALL, "seed": seed})
        return train(home.for_tenant(tenant), config, **options)

    return run


@pytest.fixture(scope="module")
def reports(trained: Trained) -> dict[str, TrainingReport]:
    """The first training of each owner."""
    return {owner: trained(owner or "default") for owner in OWNERS}


@pytest.fixture
def command(
    home: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Any]:
    assert home.database_url is not None
    monkeypatch.setenv("QUORUM_HOME", str(home.home))
    monkeypatch.setenv("DATABASE_URL", home.database_url.get_secret_value())
    monkeypatch.setenv("QUORUM_MLFLOW_TRACKING_URI", home.tracking_uri)

    def run(*arguments: str) -> Any:
        assert quorum(["models", *arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


def state(home: Settings, owner: str) -> tuple[dict[str, bytes], Plan | None]:
    """An owner's alias files, byte for byte, and its active plan."""
    files = {
        name: path.read_bytes()
        for variant in VARIANTS
        for alias in (CHAMPION, CHALLENGER)
        if (path := home.artifacts / (name := alias_file(variant, alias, owner))).exists()
    }
    return files, active_of(home, owner)


def others(home: Settings, owner: str) -> dict[str, Any]:
    return {other: state(home, other) for other in OWNERS if other != owner}


def promoter(home: Settings, tenant: str, registry: Registry, **options: Any) -> Promoter:
    settings = home.for_tenant(tenant)
    return Promoter.of(settings, store_of(settings), registry, **options)


def test_each_owner_has_its_own_champions_and_plan(
    home: Settings, registry: Registry, reports: dict[str, TrainingReport]
) -> None:
    store = store_of(home)
    named = registry.aliases()
    codes = {HOUSE: "champion", "mine": "champion-mine", "Theirs.eu": "champion-_54heirs_2eeu"}
    for owner, report in reports.items():
        plan = active_of(home, owner)
        assert plan == report.plan
        assert all(name.rpartition("/")[0] == owner for name in plan.variants)
        for variant in report.variants:
            alias = store.alias(variant.name, CHAMPION, owner)
            assert alias is not None
            assert alias.digest == variant.digest
            manifest, _ = store.manifest(variant.name, variant.version)
            assert manifest.tenant == (owner or "default")
            assert named[variant.name][codes[owner]] == int(variant.registered)
        assert report.to_document()["plan"] == plan.to_document()
    digests = {v.digest for report in reports.values() for v in report.variants}
    assert len(digests) == len(OWNERS) * len(VARIANTS)


def test_each_owner_has_a_reference_of_its_own_payments(
    home: Settings, database_url: str, reports: dict[str, TrainingReport]
) -> None:
    async def seen() -> dict[str, list[StoredReference]]:
        async with connection(database_url) as session:
            return {owner: await visible(session, owner) for owner in OWNERS}

    found = asyncio.run(seen())
    library = Library(store_of(home))
    for owner, report in reports.items():
        stored = found[owner][0]
        reference = stored.reference
        assert (reference.owner, reference.tenant) == (owner, owner or "default")
        assert report.reference == {
            "id": stored.id,
            "listed": True,
            "sentence": f"reference {stored.id} of {len(reference.columns)} columns",
        }
        assert (reference.kind, reference.rows) == ("history", report.rows["history"])
        assert {m.variant: m.digest for m in reference.models} == {
            v.name: v.digest for v in report.variants
        }
        columns = {column.name: column for column in reference.columns}
        assert {n for n, c in columns.items() if c.required} == REQUIRED
        assert sum(c.importance for c in columns.values()) == pytest.approx(1, abs=1e-4)
        assert columns["amount"].importance > 0.1, "fraud goes by the amount"
        assert columns["customer_id"].profile.categories == ()
        sketch = library.sketch(stored)
        assert sketch.num_rows == 2_000
        assert sketch.column_names == list(columns)
        on_disk = store_of(home).variants()
        names = [("reference-" + reference.name, stored.version)]
        names += [(m.variant, m.digest[:12]) for m in reference.models]
        assert stored.size_bytes == sum(on_disk[v].versions[version] for v, version in names)
    assert {s.reference.owner for s in found["mine"]} == {"mine", HOUSE}


def test_each_model_finds_the_fraud_of_its_own_tenant(
    reports: dict[str, TrainingReport], command: Callable[..., Any]
) -> None:
    for tenant, stranger in (("mine", "Theirs.eu"), ("Theirs.eu", "mine")):
        found = command(
            "compare", "logistic", f"{stranger}/logistic", "--tenant", tenant, "--weeks", "2"
        )
        assert found["difference"]["low"] > 0
        own = next(v for v in reports[tenant].variants if v.name == "logistic")
        assert found["a"]["version"] == own.version
    # The home tenant's name is the house's.
    house = command("compare", "logistic", "default/logistic", "--tenant", "mine", "--weeks", "2")
    assert house["b"]["version"] == reports[HOUSE].variants[1].version


def test_the_list_shows_whose(
    reports: dict[str, TrainingReport], command: Callable[..., Any], capsys: Any
) -> None:
    def listed(*arguments: str) -> dict[str, tuple[str, list[str]]]:
        models = command("list", "xgboost", *arguments)["models"]
        assert all(model["in_step"] for model in models)
        return {model["version"]: (model["tenant"], model["aliases"]) for model in models}

    versions = {owner: report.variants[0].version for owner, report in reports.items()}
    whole = listed()
    assert whole[versions[HOUSE]] == ("default", ["champion"])
    assert whole[versions["mine"]] == ("mine", ["mine/champion"])
    assert whole[versions["Theirs.eu"]] == ("Theirs.eu", ["Theirs.eu/champion"])
    assert listed("--tenant", "mine").keys() == {versions["mine"]}
    assert command("show", "xgboost", "--tenant", "mine")["version"] == versions["mine"]
    assert command("show", "mine/xgboost")["version"] == versions["mine"]
    assert command("show", "xgboost")["version"] == versions[HOUSE]
    assert quorum(["models", "list", "xgboost"]) == 0
    shown = capsys.readouterr().out
    assert {"tenant", "mine", "Theirs.eu", "default"} <= set(shown.split())
    assert quorum(["models", "list", "xgboost", "--tenant", "mine"]) == 0
    assert "mine/champion" in capsys.readouterr().out
    assert quorum(["models", "show", "nobody/xgboost"]) == 1
    assert "'nobody/champion'" in capsys.readouterr().err


def test_the_house_takes_no_other_tenants_models_unasked(
    home: Settings, registry: Registry, reports: dict[str, TrainingReport]
) -> None:
    before = {owner: state(home, owner) for owner in OWNERS}
    mine = reports["mine"]
    assessor = Assessor(home, store_of(home), Scorer.load, GATES, lambda *_: None)
    for tenant in ("default", "Theirs.eu"):
        for_tenant = promoter(home, tenant, registry)
        with pytest.raises(OtherTenant, match="mine"):
            for_tenant.promote_run(assessor, mine.run_id, None)
        with pytest.raises(OtherTenant, match="mine"):
            for_tenant.promote(assessor, "xgboost", mine.variants[0].version, None)
    assert {owner: state(home, owner) for owner in OWNERS} == before


def test_a_second_training_is_rolled_back_and_the_others_stay(
    home: Settings,
    registry: Registry,
    reports: dict[str, TrainingReport],
    trained: Trained,
    command: Callable[..., Any],
) -> None:
    stay = others(home, "mine")
    first = state(home, "mine")[1]
    again = trained("mine", seed=8)
    assert again.plan.version == reports["mine"].plan.version + 1
    assert active_of(home, "mine") == again.plan
    assert others(home, "mine") == stay

    undone = command("rollback", "--run", "--tenant", "mine")
    assert undone["done"]
    assert undone["plan"] == {"name": first.name, "version": first.version}
    assert active_of(home, "mine") == first
    store = store_of(home)
    for variant in reports["mine"].variants:
        assert store.resolve(variant.name, CHAMPION, "mine").digest == variant.digest
    assert not command("rollback", "--run", "--tenant", "mine")["done"]
    assert others(home, "mine") == stay

    # One variant alone, there and back.
    version = again.variants[0].version
    back = command("rollback", "xgboost", "--to", version, "--tenant", "mine")
    assert back["moved"] == {
        "xgboost": {"from": reports["mine"].variants[0].version, "to": version}
    }
    assert others(home, "mine") == stay


def test_challengers_are_the_owners_too_and_its_champions_are_their_measure(
    home: Settings, registry: Registry, reports: dict[str, TrainingReport], trained: Trained
) -> None:
    stay = others(home, "Theirs.eu")
    champions, plan = state(home, "Theirs.eu")
    report = trained("Theirs.eu", seed=9, role=CHALLENGER)
    files, still = state(home, "Theirs.eu")
    assert still == plan
    assert files.keys() - champions.keys() == {
        alias_file(variant, CHALLENGER, "Theirs.eu") for variant in VARIANTS
    }
    settings = home.for_tenant("Theirs.eu")
    assessor = Assessor(settings, store_of(home), Scorer.load, GATES, lambda *_: None)
    versions = {v.name: v.version for v in report.variants}
    proposed = assessor.proposed_set(versions, report.plan, "Theirs.eu")
    serving = assessor.serving_set(deciding(settings, "Theirs.eu"))
    assert {m.version for m in serving.versions.values()} == {
        v.version for v in reports["Theirs.eu"].variants if f"Theirs.eu/{v.name}" in plan.variants
    }
    assessment = assessor.assess_run(proposed, serving)
    assert assessment.recent is not None
    assert {"xgboost", "logistic", "ensemble"} >= assessment.figures.keys()
    assert others(home, "Theirs.eu") == stay


def test_the_first_challengers_of_a_tenant_are_compared_with_the_house(
    home: Settings, registry: Registry, reports: dict[str, TrainingReport], trained: Trained
) -> None:
    assert home.database_url is not None
    url = home.database_url.get_secret_value()
    asyncio.run(
        load_labelled(
            url, 4_000, 60, seed=11, fraud_share=0.03, fraud_log_amount=5.5, tenant="newcomer"
        )
    )
    before = {owner: state(home, owner) for owner in OWNERS}
    report = trained("newcomer", role=CHALLENGER)
    settings = home.for_tenant("newcomer")
    assessor = Assessor(settings, store_of(home), Scorer.load, GATES, lambda *_: None)
    few = Force("too few frauds in this test to beat a rule for sure")
    done = promoter(home, "newcomer", registry).promote_run(assessor, "latest", few)
    assert done.assessment is not None
    # The house's models have never seen this fraud: the newcomer's are better on its own rows.
    sides = done.assessment.figures["ensemble"]
    assert sides["challenger"]["average_precision"] > sides["champion"]["average_precision"]
    assert done.done, done.summary
    assert active_of(home, "newcomer") == report.plan
    assert {owner: state(home, owner) for owner in OWNERS} == before

    # Back to the house: its plan decides for the newcomer again, whose champions wait.
    undone = promoter(home, "newcomer", registry).roll_back_run(Scorer.load)
    assert undone.done
    assert "the house's plan decides for newcomer" in undone.summary
    assert active_of(home, "newcomer") is None
    assert deciding(settings, "newcomer") == active_of(home, HOUSE)
    assert not promoter(home, "newcomer", registry).roll_back_run(Scorer.load).done
    again = promoter(home, "newcomer", registry).promote_run(assessor, "latest", few)
    assert again.done
    assert active_of(home, "newcomer") is not None
    assert {owner: state(home, owner) for owner in OWNERS} == before


def test_for_every_tenant_makes_them_the_house_s(
    home: Settings, registry: Registry, reports: dict[str, TrainingReport], trained: Trained
) -> None:
    stay = others(home, HOUSE)
    before = active_of(home, HOUSE)
    settings = home.for_tenant("mine")
    assessor = Assessor(settings, store_of(home), Scorer.load, GATES, lambda *_: None)
    on_request = promoter(home, "mine", registry, for_every_tenant=True)
    done = on_request.promote_run(assessor, reports["mine"].run_id, Force("a rehearsal"))
    assert done.moved.keys() == set(VARIANTS)
    promoted = active_of(home, HOUSE)
    assert promoted.voters == tuple(v.rpartition("/")[2] for v in reports["mine"].plan.voters)
    assert on_request.roll_back_run(Scorer.load).done
    assert active_of(home, HOUSE) == before
    assert others(home, HOUSE) == stay

    report = trained("mine", seed=12, for_every_tenant=True)
    plan = active_of(home, HOUSE)
    assert plan == report.plan
    assert all("/" not in name for name in plan.variants)
    store = store_of(home)
    for variant in report.variants:
        assert store.resolve(variant.name, CHAMPION).digest == variant.digest
    assert others(home, HOUSE) == stay
    # The home tenant does not undo unasked what somebody asked for.
    with pytest.raises(OtherTenant, match="mine"):
        trained("default")
    promoter(home, "default", registry).roll_back_run(Scorer.load)
    assert store.resolve("xgboost", CHAMPION).digest == reports[HOUSE].variants[0].digest
    assert trained("default", seed=13).plan == active_of(home, HOUSE)
    assert others(home, HOUSE) == stay


def test_the_plan_on_record_in_mlflow_is_the_owners(
    home: Settings, registry: Registry, reports: dict[str, TrainingReport], tmp_path: Path
) -> None:
    document = registry.document(reports["mine"].run_id, "plan.json")
    assert Plan.from_document(document).variants == reports["mine"].plan.variants
