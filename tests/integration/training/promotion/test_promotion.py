"""Promotion and rollback: real PostgreSQL, MLflow on SQLite, artifacts scored as served."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from cluster.cli import run as quorum
from deciding.plans.table import Offered, activate_plan, active_plan
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.errors import ArtifactRefused, Busy, InvalidInput, NotFound, OtherTenant
from fraud.plan import Plan
from models.scoring.scorer import Scorer
from models.store.location import store_of
from models.store.store import ArtifactStore
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.labelled import START, load_labelled
from training.promotion.assessment import Assessor
from training.promotion.gates import GateConfig
from training.promotion.promotion import Promoter
from training.promotion.result import Force, PromotionResult
from training.registry.aliases import align_mlflow
from training.registry.mlflow_registry import PLAN_FILE, TRAINING, Registry
from training.registry.owned_plan import owned_plan

DAYS = 60
FITTED_UNTIL = (START + timedelta(days=30)).isoformat()
WINDOW = {"window": {"train_end": FITTED_UNTIL, "calibration_end": FITTED_UNTIL}}
GOOD, BETTER_NAMED, BAD = 0.0005, 0.0004, -0.0005
"""Slopes on the amount: the first two rank alike, the last the other way round."""

#: Of calibration nothing is asked but by the test that asks.
LIMITS = GateConfig(
    max_calibration_error=1.0,
    max_said_ratio=1e9,
    max_band_ratio=1e9,
    resamples=100,
    max_latency_ratio=100,
)


@pytest.fixture(scope="module")
def loaded_url(database_url: str) -> str:
    asyncio.run(load_labelled(database_url, 3_000, DAYS))
    return database_url


@pytest.fixture(scope="module")
def features_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def settings(loaded_url: str, features_cache: Path, tmp_path: Path) -> Settings:
    (tmp_path / "cache").symlink_to(features_cache)  # the same payments in every test
    return Settings(home=tmp_path, database_url=SecretStr(loaded_url))


@pytest.fixture
def store(settings: Settings) -> ArtifactStore:
    return store_of(settings)


@pytest.fixture
def promoter(settings: Settings, store: ArtifactStore, registry: Registry) -> Promoter:
    ticks = count(1_800_000_000, 60)
    return Promoter(settings, store, registry, nullcontext, lambda: next(ticks))


def assessor(settings: Settings, config: GateConfig = LIMITS) -> Assessor:
    return Assessor(settings, store_of(settings), Scorer.load, config, lambda done, of: None)


def make(
    settings: Settings, variant: str, slope: float, *aliases: str, **options: Any
) -> tuple[str, str]:
    """An artifact of the served features, under these aliases. Returns version and digest."""
    told = {"n_features": N_FEATURES, "schema_id": SCHEMA_ID, "training": WINDOW, **options}
    version, digest = tiny_artifact(settings.artifacts, variant, slope=slope, **told)
    for alias in aliases:
        point_alias(settings.artifacts, variant, version, digest, alias)
    return version, digest


def plan_of(*variants: str) -> Plan:
    members = tuple(Member(variant, 1 / len(variants)) for variant in variants)
    return Plan("default", 1, Ensemble(members, Thresholds(0.3, 0.4, 0.5)))


def registered(
    registry: Registry,
    plan: Plan | None,
    made: dict[str, tuple[str, str]],
    tenant: str = "default",
) -> str:
    """Register versions as a training run does. Returns the run's id."""
    with registry.run("train", {**TRAINING, "schema_id": SCHEMA_ID, "tenant": tenant}) as whole:
        if plan is not None:
            registry.log_document(whole, plan.to_document(), PLAN_FILE)
        for variant, (_, digest) in made.items():
            tags = {"digest": digest, "run": whole.info.run_id}
            registry.register(whole, variant, tags, "artifact")
    run_id: str = whole.info.run_id
    return run_id


def champion(settings: Settings, variant: str) -> str:
    named = json.loads((settings.artifacts / variant / "aliases/champion.json").read_text())
    return str(named["version"])


def failed(result: PromotionResult) -> set[tuple[str, str]]:
    assert result.assessment is not None
    return {(gate.name, gate.subject) for gate in result.assessment.failed}


def test_a_challenger_as_good_is_promoted_and_all_sides_know(
    settings: Settings, store: ArtifactStore, registry: Registry, promoter: Promoter
) -> None:
    old = make(settings, "xgboost", GOOD, "champion")
    new = make(settings, "xgboost", BETTER_NAMED, "challenger")
    registered(registry, None, {"xgboost": old})
    registered(registry, None, {"xgboost": new})
    result = promoter.promote(assessor(settings), "xgboost", "challenger", None)
    assert result.done, result.summary
    assert result.moved == {"xgboost": {"from": old[0], "to": new[0]}}
    assert result.assessment is not None
    assert {g.name for g in result.assessment.gates} == {
        "schema", "golden rows", "latency", "size", "not worse", "skill", "calibration",
    }  # fmt: skip
    assert result.assessment.recent is not None
    assert str(result.assessment.recent["start"]) >= FITTED_UNTIL[:10]
    assert champion(settings, "xgboost") == new[0]
    newest = max(v.number for v in registry.versions("xgboost") if v.digest == new[1])
    assert registry.aliases()["xgboost"]["champion"] == newest
    again = promoter.promote(assessor(settings), "xgboost", "challenger", None)
    assert (again.done, again.refused) == (False, False)
    alias = store.alias("xgboost", "champion")
    assert alias is not None
    assert [move.how for move in alias.moves] == ["trained", "promoted"]


def test_a_worse_one_stays_where_it_is_unless_forced_with_a_reason(
    settings: Settings, store: ArtifactStore, promoter: Promoter
) -> None:
    old, _ = make(settings, "xgboost", GOOD, "champion")
    new, _ = make(settings, "xgboost", BAD, "challenger")
    result = promoter.promote(assessor(settings), "xgboost", "challenger", None)
    assert result.refused
    assert failed(result) == {("not worse", "xgboost"), ("skill", "xgboost")}
    assert champion(settings, "xgboost") == old
    with pytest.raises(InvalidInput, match="--reason"):
        Force("  ")
    forced = promoter.promote(assessor(settings), "xgboost", "challenger", Force("a strike"))
    assert forced.done
    assert forced.forced == ["not worse of xgboost", "skill of xgboost"]
    assert champion(settings, "xgboost") == new
    alias = store.alias("xgboost", "champion")
    assert alias is not None
    assert (alias.moves[-1].how, "a strike" in alias.moves[-1].reason) == ("forced", True)


@pytest.mark.parametrize(
    ("options", "gate"),
    [({"schema_id": "0" * 12}, "schema"), ({"golden_shift": 0.1}, "golden rows")],
)
def test_what_replicas_would_refuse_cannot_be_forced(
    settings: Settings, promoter: Promoter, options: dict[str, Any], gate: str
) -> None:
    old, _ = make(settings, "xgboost", GOOD, "champion")
    make(settings, "xgboost", BETTER_NAMED, "challenger", **options)
    result = promoter.promote(assessor(settings), "xgboost", "challenger", Force("because"))
    assert result.refused
    assert (gate, "xgboost") in failed(result)
    assert champion(settings, "xgboost") == old


def test_probabilities_that_mean_something_else_are_refused(
    settings: Settings, promoter: Promoter
) -> None:
    make(settings, "xgboost", GOOD, "champion", "challenger")
    make(settings, "xgboost", BETTER_NAMED, "challenger")
    strict = LIMITS.model_copy(update={"max_calibration_error": 0.01})
    result = promoter.promote(assessor(settings, strict), "xgboost", "challenger", None)
    assert failed(result) == {("calibration", "xgboost")}


def test_probabilities_that_say_too_little_by_a_factor_are_refused(
    settings: Settings, promoter: Promoter
) -> None:
    """The calibration error alone would pass."""
    make(settings, "xgboost", GOOD, "champion", "challenger")
    make(settings, "xgboost", BETTER_NAMED, "challenger")
    strict = LIMITS.model_copy(update={"max_said_ratio": 1.25})
    result = promoter.promote(assessor(settings, strict), "xgboost", "challenger", None)
    assert failed(result) == {("calibration", "xgboost")}
    (gate,) = result.assessment.failed if result.assessment else ()
    assert "a factor of" in gate.detail


def test_payments_that_a_model_has_learnt_from_are_left_out(
    settings: Settings, promoter: Promoter
) -> None:
    make(settings, "xgboost", GOOD, "champion")
    until = (START + timedelta(days=DAYS)).isoformat()
    make(settings, "xgboost", BETTER_NAMED, "challenger", training={"window": {"train_end": until}})
    result = promoter.promote(assessor(settings), "xgboost", "challenger", None)
    gates = ("not worse", "skill", "calibration")
    assert failed(result) == {(gate, "xgboost") for gate in gates}


def test_a_variant_of_the_plan_is_also_measured_through_the_plan(
    settings: Settings, loaded_url: str, promoter: Promoter
) -> None:
    make(settings, "xgboost", GOOD, "champion")
    make(settings, "logistic", GOOD, "champion")
    make(settings, "logistic", BAD, "challenger")
    asyncio.run(activate_plan(loaded_url, plan_of("xgboost", "logistic")))
    result = promoter.promote(assessor(settings), "logistic", "challenger", None)
    gates = ("not worse", "skill")
    assert failed(result) == {(g, of) for g in gates for of in ("logistic", "ensemble")}


def test_an_ensemble_whose_other_models_cannot_be_loaded_is_not_measured(
    settings: Settings,
) -> None:
    make(settings, "xgboost", GOOD, "champion")
    version, _ = make(settings, "xgboost", BETTER_NAMED)
    members = Member("xgboost", 0.5), Member("logistic", 0.5, required=True)
    plan = Plan("default", 1, Ensemble(members, Thresholds(0.3, 0.4, 0.5)))
    judge = assessor(settings)
    found = judge.assess_variant(judge.load_version("xgboost", version), plan)
    assert {gate.subject for gate in found.failed} == {"ensemble"}
    assert "xgboost" in found.figures
    assert "ensemble" not in found.figures


def test_a_first_champion_is_not_compared_with_an_ensemble_that_nobody_serves(
    settings: Settings,
) -> None:
    make(settings, "logistic", GOOD, "champion")
    version, _ = make(settings, "xgboost", BETTER_NAMED)
    arm = {"weight": 50, "plan": plan_of("logistic").ensemble.to_document()}
    other = {"weight": 50, "plan": plan_of("xgboost").ensemble.to_document()}
    arms = [{"name": "control", **arm}, {"name": "new", **other}]
    split = Plan.from_document(
        {"name": "default", "version": 1, "kind": "ab", "salt": "s", "arms": arms}
    )
    judge = assessor(settings)
    found = judge.assess_variant(judge.load_version("xgboost", version), split)
    assert found.failed == []
    assert found.figures["ensemble new"].keys() == {"challenger"}


def test_rollback_goes_back_once(
    settings: Settings, store: ArtifactStore, promoter: Promoter
) -> None:
    with pytest.raises(NotFound, match="no champion"):
        promoter.roll_back("xgboost", Scorer.load, None)
    first, _ = make(settings, "xgboost", GOOD, "champion")
    with pytest.raises(NotFound, match="before"):
        promoter.roll_back("xgboost", Scorer.load, None)
    versions = [first]
    for slope in (0.0004, 0.0003):
        version, _ = make(settings, "xgboost", slope, "challenger")
        assert promoter.promote(assessor(settings), "xgboost", "challenger", None).done
        versions.append(version)
    assert promoter.roll_back("xgboost", Scorer.load, None).done
    again = promoter.roll_back("xgboost", Scorer.load, None)
    assert (again.done, champion(settings, "xgboost")) == (False, versions[1])
    assert promoter.roll_back("xgboost", Scorer.load, first).done
    assert champion(settings, "xgboost") == first
    with pytest.raises(NotFound, match="never champion"):
        promoter.roll_back("xgboost", Scorer.load, "0" * 12)


def test_a_champion_that_would_be_refused_is_not_gone_back_to(
    settings: Settings, promoter: Promoter
) -> None:
    old, _ = make(settings, "xgboost", GOOD, "champion")
    new, _ = make(settings, "xgboost", BETTER_NAMED, "challenger")
    assert promoter.promote(assessor(settings), "xgboost", "challenger", None).done
    (settings.artifacts / "xgboost" / old / "model.onnx").write_bytes(b"rot")
    with pytest.raises(ArtifactRefused):
        promoter.roll_back("xgboost", Scorer.load, None)
    assert champion(settings, "xgboost") == new


@pytest.fixture
def run_made(
    settings: Settings, loaded_url: str, registry: Registry
) -> tuple[str, dict[str, str], dict[str, str]]:
    """A run of two variants with a plan of its own, beside two champions under another: its id,
    the champions' versions and its own."""
    names = ("xgboost", "logistic")
    old = {name: make(settings, name, GOOD, "champion") for name in names}
    new = {name: make(settings, name, BETTER_NAMED, "challenger") for name in names}
    asyncio.run(activate_plan(loaded_url, plan_of("xgboost")))
    registered(registry, plan_of("xgboost"), old)
    run_id = registered(registry, plan_of(*names), new)
    return run_id, {n: v for n, (v, _) in old.items()}, {n: v for n, (v, _) in new.items()}


RunMade = tuple[str, dict[str, str], dict[str, str]]


def test_a_run_and_its_plan_serve_together_and_go_back_together(
    settings: Settings, loaded_url: str, promoter: Promoter, run_made: RunMade
) -> None:
    run_id, old, new = run_made
    before = asyncio.run(active_plan(loaded_url))
    result = promoter.promote_run(assessor(settings), "latest", None)
    assert result.done, result.summary
    assert result.moved == {name: {"from": old[name], "to": new[name]} for name in old}
    active = asyncio.run(active_plan(loaded_url))
    assert active is not None
    assert active.variants == ("xgboost", "logistic")
    assert result.plan == {"name": "default", "version": active.version}
    assert not promoter.promote_run(assessor(settings), run_id, None).done
    back = promoter.roll_back_run(Scorer.load)
    assert back.done
    assert {name: champion(settings, name) for name in old} == old
    assert asyncio.run(active_plan(loaded_url)) == before
    assert not promoter.roll_back_run(Scorer.load).done


def test_a_run_leaves_a_plan_of_another_name_active(
    settings: Settings, loaded_url: str, promoter: Promoter, run_made: RunMade
) -> None:
    _, old, new = run_made
    chosen = asyncio.run(activate_plan(loaded_url, replace(plan_of("logistic"), name="chosen")))
    result = promoter.promote_run(assessor(settings), "latest", None)
    assert {name: champion(settings, name) for name in old} == new
    assert asyncio.run(active_plan(loaded_url)) == chosen
    assert (result.done, result.plan) == (True, None)
    assert f"plan chosen v{chosen.version} decides on, plan default v" in result.summary
    assert promoter.roll_back_run(Scorer.load).done
    assert asyncio.run(active_plan(loaded_url)) == chosen
    asyncio.run(activate_plan(loaded_url, plan_of("xgboost")))


def test_a_plan_that_cannot_be_stored_leaves_the_champions(
    settings: Settings, promoter: Promoter, run_made: RunMade, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, old, _ = run_made

    async def lost(*_: object) -> Offered:
        assert {name: champion(settings, name) for name in old} != old  # they had moved
        raise ConnectionResetError("the database went away")

    monkeypatch.setattr("training.promotion.promotion.offer_plan", lost)
    before = {n: (settings.artifacts / n / "aliases/champion.json").read_bytes() for n in old}
    with pytest.raises(ConnectionResetError):
        promoter.promote_run(assessor(settings), "latest", None)
    assert {name: champion(settings, name) for name in old} == old
    after = {n: (settings.artifacts / n / "aliases/champion.json").read_bytes() for n in old}
    assert {n: json.loads(b)["digest"] for n, b in after.items()} == {
        n: json.loads(b)["digest"] for n, b in before.items()
    }


def test_a_missing_run_is_named(settings: Settings, promoter: Promoter, run_made: RunMade) -> None:
    with pytest.raises(NotFound, match="no models of a training run nonsense"):
        promoter.promote_run(assessor(settings), "nonsense", None)


def test_mlflow_may_lag_and_is_brought_into_step(
    settings: Settings,
    store: ArtifactStore,
    registry: Registry,
    promoter: Promoter,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mlflow.exceptions import MlflowException

    make(settings, "xgboost", GOOD, "champion")
    new = make(settings, "xgboost", 0.00045, "challenger")
    registered(registry, None, {"xgboost": new})

    def away(*_: object) -> None:
        raise MlflowException("the tracking server is away")

    with monkeypatch.context() as patch:
        patch.setattr(Registry, "set_alias", away)
        result = promoter.promote(assessor(settings), "xgboost", "challenger", None)
    assert result.done
    assert result.lag is not None
    assert "away" in result.lag
    assert champion(settings, "xgboost") == new[0]
    assert promoter.promote(assessor(settings), "xgboost", "challenger", None).lag is None
    (number,) = {v.number for v in registry.versions("xgboost") if v.digest == new[1]}
    assert registry.aliases()["xgboost"]["champion"] == number
    assert align_mlflow(registry, store, ["xgboost"]) is None


def test_a_champion_that_moves_meanwhile_is_not_overwritten(
    settings: Settings, promoter: Promoter, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(settings, "xgboost", GOOD, "champion")
    make(settings, "xgboost", BETTER_NAMED, "challenger")
    other, digest = make(settings, "xgboost", 0.0003)
    assess: Callable[..., Any] = Assessor.assess_variant

    def slow(self: Assessor, *arguments: Any) -> Any:
        found = assess(self, *arguments)
        point_alias(settings.artifacts, "xgboost", other, digest)
        return found

    monkeypatch.setattr(Assessor, "assess_variant", slow)
    with pytest.raises(Busy, match="try again"):
        promoter.promote(assessor(settings), "xgboost", "challenger", None)
    assert champion(settings, "xgboost") == other


def test_what_a_killed_training_registered_is_taken_back(registry: Registry) -> None:
    """A killed run stays RUNNING forever."""
    digest = "d" * 64
    killed = registry._client.create_run(registry._experiment_id, tags=TRAINING)
    tags = {"digest": digest, "run": killed.info.run_id}
    registry.register(killed, "killed-one", tags, "artifact")
    assert registry.versions("killed-one") == []
    with registry.run("train", {**TRAINING}) as whole:
        registry.sweep(whole.info.run_id)
        assert registry._all_versions("killed-one") == []
    assert registry._client.get_run(killed.info.run_id).info.status == "KILLED"


def test_the_command_line_shows_and_moves(
    settings: Settings,
    loaded_url: str,
    run_made: RunMade,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run_id, old, new = run_made
    gates = settings.home / "gates.toml"
    gates.write_text(
        "max_calibration_error = 1.0\nmax_said_ratio = 1e9\nmax_band_ratio = 1e9\n"
        "max_latency_ratio = 100.0\nresamples = 100\n"
    )
    monkeypatch.setenv("QUORUM_HOME", str(settings.home))
    monkeypatch.setenv("DATABASE_URL", loaded_url)
    monkeypatch.setenv("QUORUM_MLFLOW_TRACKING_URI", registry.tracking_uri)

    def said(*arguments: str, code: int = 0) -> dict[str, Any]:
        assert quorum(["models", *arguments, "--json"]) == code
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    listed = {(m["variant"], m["version"]): m for m in said("list")["models"]}
    assert listed["xgboost", new["xgboost"]]["run_id"] == run_id
    assert listed["xgboost", old["xgboost"]]["aliases"] == ["champion"]
    assert all(m["served"] for m in listed.values())
    shown = said("show", "xgboost@challenger")
    assert shown["version"] == new["xgboost"]
    assert shown["training"] == WINDOW
    number = str(shown["registered"])
    assert said("show", f"xgboost@{number}")["version"] == new["xgboost"]
    compared = said("compare", "xgboost", "xgboost@challenger", "--weeks", "2")
    assert compared["difference"]["low"] <= compared["difference"]["difference"]
    assert compared["a"]["figures"]["average_precision"] > 0.1
    refused = said("promote", "xgboost", code=1)  # calibration, under the default limits
    assert refused["refused"]
    assert said("promote", "--run", "latest", "--gates", str(gates))["done"]
    assert champion(settings, "logistic") == new["logistic"]
    assert said("rollback", "xgboost")["moved"] == {
        "xgboost": {"from": new["xgboost"], "to": old["xgboost"]}
    }
    assert not said("rollback", "xgboost")["done"]
    for arguments in (["list"], ["show", "xgboost"], ["push", str(settings.home / "copy")]):
        assert quorum(["models", *arguments]) == 0
        assert "xgboost" in capsys.readouterr().out or arguments[0] == "push"
    assert quorum(["models", "show", "nothing"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert quorum(["models", "promote", "xgboost", "--force"]) == 1
    assert "--reason" in capsys.readouterr().err


def test_another_tenants_champion_is_replaced_only_on_request(
    settings: Settings, promoter: Promoter, registry: Registry
) -> None:
    def trained_on(tenant: str) -> dict[str, Any]:
        return {"training": {**WINDOW, "tenant": tenant}}

    old = make(settings, "xgboost", GOOD, "champion", **trained_on("bank"))
    new = make(settings, "xgboost", BETTER_NAMED, "challenger", **trained_on("default"))
    run_id = registered(registry, plan_of("xgboost"), {"xgboost": new})
    for promote in (
        lambda who: who.promote(assessor(settings), "xgboost", "challenger", None),
        lambda who: who.promote_run(assessor(settings), run_id, None),
    ):
        with pytest.raises(OtherTenant, match="bank"):
            promote(promoter)
        assert champion(settings, "xgboost") == old[0]
    told = replace(promoter, for_every_tenant=True)
    assert told.promote(assessor(settings), "xgboost", "challenger", None).done
    assert champion(settings, "xgboost") == new[0]


def test_a_tenants_first_champion_is_compared_with_the_house_s(
    settings: Settings, loaded_url: str, store: ArtifactStore, registry: Registry
) -> None:
    asyncio.run(load_labelled(loaded_url, 3_000, DAYS, tenant="mine"))
    house = make(settings, "xgboost", GOOD, "champion")
    asyncio.run(activate_plan(loaded_url, plan_of("xgboost")))
    mine = settings.for_tenant("mine")
    for_mine = Promoter(mine, store, registry, nullcontext)
    learnt = {"training": {**WINDOW, "tenant": "mine"}}
    bad = make(settings, "xgboost", BAD, **learnt)
    refused = for_mine.promote(assessor(mine), "xgboost", bad[0], None)
    assert refused.refused
    assert ("not worse", "xgboost") in failed(refused)
    good = make(settings, "xgboost", BETTER_NAMED, **learnt)
    done = for_mine.promote(assessor(mine), "xgboost", good[0], None)
    assert done.moved == {"xgboost": {"from": None, "to": good[0]}}
    assert "no active plan of mine asks it" in done.summary
    assert done.assessment is not None
    # The house's plan decides for mine so far: what it would be with mine's model is measured, too.
    assert done.assessment.figures.keys() == {"xgboost", "ensemble"}
    assert store.resolve("xgboost", "champion", "mine").version == good[0]
    assert champion(settings, "xgboost") == house[0]
    # From now on the measure is its own champion.
    asyncio.run(activate_plan(loaded_url, owned_plan(plan_of("xgboost"), "mine"), "mine"))
    again = for_mine.promote(assessor(mine), "xgboost", bad[0], Force("a rehearsal"))
    assert again.moved == {"xgboost": {"from": good[0], "to": bad[0]}}
    assert "no active plan" not in again.summary
    back = for_mine.roll_back("xgboost", Scorer.load, None)
    assert back.moved == {"xgboost": {"from": bad[0], "to": good[0]}}
    assert champion(settings, "xgboost") == house[0]


def test_latest_means_the_latest_of_the_tenant(
    settings: Settings, promoter: Promoter, registry: Registry
) -> None:
    mine = make(settings, "xgboost", GOOD, "challenger")
    run_id = registered(registry, plan_of("xgboost"), {"xgboost": mine})
    theirs = make(settings, "xgboost", BETTER_NAMED)
    registered(registry, plan_of("xgboost"), {"xgboost": theirs}, tenant="bank")
    assert promoter._models_of("latest")[0] == run_id
    with pytest.raises(NotFound, match="tenant nobody"):
        replace(promoter, settings=settings.model_copy(update={"tenant": "nobody"}))._models_of(
            "latest"
        )
