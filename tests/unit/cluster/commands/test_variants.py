"""`quorum variants` and `quorum deploy --add`, without a node: made-up plans and a real store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.cli import run
from cluster.pools import deployment
from deciding.plans.versions import StoredPlan
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.plan import Plan
from tests.contracts.artifacts import point_alias, tiny_artifact


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a running node, and the plans that are active."""
    for name in ("DATABASE_URL", "REDIS_URL", "QUORUM_ARTIFACTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("QUORUM_DASHBOARD_PORT", "9")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # Ray reads a token once and for all
    activate(monkeypatch)
    return tmp_path


def activate(monkeypatch: pytest.MonkeyPatch, *variants: str) -> None:
    members = tuple(Member(variant, 1.0) for variant in variants)
    plan = Plan("mine", 4, Ensemble(members, Thresholds(0.1, 0.2, 0.3))) if members else None

    async def active(_: Any) -> dict[str, StoredPlan]:
        if plan is None:
            return {}
        document = plan.to_document()
        at = datetime(2026, 3, 1, tzinfo=UTC)
        return {"acme": StoredPlan("acme", "mine", 4, plan.kind, True, "", "", at, document)}

    monkeypatch.setattr(deployment, "_active_plans", active)


def publish(home: Path, schema_id: str = SCHEMA_ID) -> str:
    """Publish a champion of logistic. Returns its version."""
    root = home / "artifacts"
    version, digest = tiny_artifact(root, "logistic", n_features=N_FEATURES, schema_id=schema_id)
    point_alias(root, "logistic", version, digest)
    return version


def called(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What `quorum variants <arguments>` prints: its result, or why it failed."""
    capsys.readouterr()
    assert run(["variants", *arguments]) == code
    said = capsys.readouterr()
    return said.err if code else said.out


def pools(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    found = json.loads(called(capsys, "list", "--json"))["pools"]
    return {pool["name"]: pool["why"] for pool in found}


def test_a_pinned_version_is_declared_listed_and_removed(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"logistic@{publish(home)}"
    added = json.loads(called(capsys, "add", name, "--max-replicas", "2", "--json"))
    assert (added["version"], added["max_replicas"]) == (name.partition("@")[2], 2)
    assert pools(capsys)[name] == "declared"
    assert name in called(capsys, "list")
    called(capsys, "remove", name)
    assert name not in pools(capsys)
    assert "not declared" in called(capsys, "remove", name, code=1)


def test_the_printed_configuration_is_the_files_and_more(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"logistic@{publish(home)}"
    called(capsys, "add", name)
    printed = yaml.safe_load(called(capsys, "config"))
    ours = yaml.safe_load(Path("serve_config.yaml").read_text())
    assert printed["applications"][:-1] == ours["applications"]
    assert printed["applications"][-1]["args"] == {
        "variant": "logistic",
        "artifact": name.partition("@")[2],
    }


def test_what_an_active_plan_asks_stays(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"logistic@{publish(home)}"
    called(capsys, "add", name)
    activate(monkeypatch, name)
    assert "the active plan mine v4 of acme asks" in called(capsys, "remove", name, code=1)
    assert pools(capsys)[name] == "declared, plan mine v4 of acme"


def test_an_active_plan_needs_no_declaration(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    activate(monkeypatch, "acme/xgboost", "xgboost")
    found = pools(capsys)
    assert found["acme/xgboost"] == "plan mine v4 of acme"
    assert found["xgboost"] == "in the Serve configuration, plan mine v4 of acme"


def test_without_postgresql_nothing_is_removed(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"logistic@{publish(home)}"
    called(capsys, "add", name)

    async def down(_: Any) -> dict[str, StoredPlan]:
        raise ConnectionRefusedError("no PostgreSQL")

    monkeypatch.setattr(deployment, "_active_plans", down)
    assert "unknown" in called(capsys, "remove", name, code=1)
    report = json.loads(called(capsys, "list", "--json"))
    assert "no PostgreSQL" in report["plans_error"]
    assert "cannot be read" in called(capsys, "list")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("logistic", "the Serve configuration has the pool"),
        ("A B", "expected [tenant/]variant[@version]"),
        ("logistic@000000000000", "has no model"),
        ("catboost", "has no model"),
    ],
)
def test_what_cannot_be_declared(
    home: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    publish(home)
    code = 2 if " " in name else 1
    assert said in called(capsys, "add", name, code=code)
    assert not (home / "variants.toml").exists()


def test_a_model_of_other_features_is_not_declared(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    version = publish(home, schema_id="000000000000")
    assert "other features" in called(capsys, "add", f"logistic@{version}", code=1)


def test_a_declaration_outlives_a_deployment_that_fails(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"logistic@{publish(home)}"
    capsys.readouterr()
    assert run(["deploy", "--add", "catboost"]) == 1
    assert "catboost has no model" in capsys.readouterr().err
    assert not (home / "variants.toml").exists()
    assert run(["deploy", "--add", name]) == 1  # no node runs
    assert pools(capsys)[name] == "declared"
