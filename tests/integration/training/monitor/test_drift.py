"""`quorum drift` on decisions as the log writes them: it finds the columns that moved, and no
others."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from cluster.cli import run
from deciding.plans.table import activate_plan
from fraud.errors import NotFound
from models.store.location import open_store
from models.store.origin import origin_of
from settings.settings import Settings
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.decisions import N_FEATURES, PLAN
from tests.contracts.drift import GONE, MOVED, SCHEMA_ID, SERVED, serve_moved, train_champion
from training.monitor.drift import DriftReport, measure
from training.registry.owned_plan import owned_plan


@dataclass
class Served:
    """A database with a plan, decisions and labels, and the folder of artifacts."""

    url: str
    home: Path
    now: datetime

    def settings(self) -> Settings:
        return Settings(home=self.home)

    async def measure(self, tenant: str = "default", **told: object) -> DriftReport:
        store = open_store(str(self.home / "artifacts"), self.settings())
        origin = origin_of(PLAN, store)
        told = {"days": 7.0, **told}
        return await measure(self.url, tenant, PLAN, origin, now=self.now, **told)


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> Served:
    now = datetime.now(UTC)
    train_champion(tmp_path / "artifacts")
    await serve_moved(database_url, now)
    await activate_plan(database_url, PLAN)
    return Served(database_url, tmp_path, now)


async def test_what_moved_is_found_and_nothing_else(served: Served) -> None:
    report = await served.measure()
    assert (report.decisions, report.sampled, report.foreign) == (SERVED, SERVED, 0)
    assert report.trained_on == 20_000
    said = {shift.name: shift for shift in report.features}
    assert {n for n, s in said.items() if s.level != "steady"} == {f"f{MOVED}", f"f{GONE}"}
    assert {s.name for s in report.features[:2]} == {f"f{MOVED}", f"f{GONE}"}
    assert said[f"f{GONE}"].missing_now == 0.5
    assert said["f0"].missing_then == said["f0"].missing_now == 1.0
    assert said["f0"].psi == 0
    scores = {shift.name: shift for shift in report.scores}
    assert set(scores) == {"ensemble", *PLAN.variants}
    assert all(scores[name].level == "steady" for name in PLAN.variants)
    # The plan squares the mean of its votes: nothing like what it was trained on.
    assert scores["ensemble"].level == "large"
    assert report.largest_psi == max(s.psi for s in (*report.features, *report.scores))


async def test_labels_that_follow_the_probability_say_it_is_calibrated(served: Served) -> None:
    report = await served.measure()
    assert report.labelled == SERVED
    assert set(report.calibration) == {"ensemble", "xgboost", "random-forest", "logistic"}
    ensemble, vote = report.calibration["ensemble"], report.calibration["xgboost"]
    assert ensemble.rows.sum() == SERVED
    inside = (ensemble.low <= ensemble.mean) & (ensemble.mean <= ensemble.high)
    assert inside.mean() >= 0.8
    assert vote.error > 2 * ensemble.error


async def test_corrected_labels_and_foreign_schemas(served: Served) -> None:
    connection = await asyncpg.connect(served.url)
    await connection.execute(
        "INSERT INTO labels (tenant, transaction_id, is_fraud, known_at, source)"
        " SELECT tenant, transaction_id, true, known_at + interval '1 minute', 'later' FROM labels"
    )
    await connection.execute(
        "UPDATE decisions SET schema_id = 'other' WHERE transaction_id LIKE 'h1-%'"
    )
    await connection.close()
    report = await served.measure()
    assert report.calibration["ensemble"].observed.min() == 1.0
    assert report.foreign == SERVED // 3
    assert {s.rows for s in report.features} == {SERVED - SERVED // 3}
    assert {s.rows for s in report.scores} == {SERVED}


async def test_a_sample_is_part_of_the_decisions_and_always_the_same(served: Served) -> None:
    first, second = [await served.measure(max_rows=200) for _ in range(2)]
    assert first.to_document() == second.to_document()
    assert 120 < first.sampled < 280
    assert first.decisions == SERVED


async def test_an_unknown_tenant_and_an_empty_period(served: Served) -> None:
    with pytest.raises(NotFound, match="tenant nobody got no decisions"):
        await served.measure("nobody")
    report = await served.measure(days=100.0)
    assert report.decisions == SERVED + 1


async def test_the_command(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(served.home))
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    monkeypatch.setenv("DATABASE_REPLICA_URL", served.url)

    async def command(*arguments: str) -> int:
        return await asyncio.to_thread(run, ["drift", *arguments])

    picture = served.home / "drift.svg"
    assert await command("--json", "--picture", str(picture)) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["decisions"] == SERVED
    assert document["features"][0]["verdict"] == "large"
    assert sum(b["rows"] for b in document["calibration"]["ensemble"]["bins"]) == SERVED
    assert picture.read_text().count("<svg") == 1
    assert await command("--picture", str(served.home / "drift.png")) == 0
    assert (served.home / "drift.png").read_bytes().startswith(b"\x89PNG")
    shown = capsys.readouterr().out
    assert "score of ensemble" in shown
    assert f"f{MOVED}" in shown
    assert await command("--fail-above", "0.25") == 1
    assert "is above 0.25" in capsys.readouterr().err
    assert await command("--fail-above", "100") == 0
    assert await command("--days", "0.01") == 1
    assert "no decisions in the last 0.01 days" in capsys.readouterr().err
    assert await command("--picture", "drift.gif") == 2


async def test_a_tenant_is_compared_with_the_training_of_the_plan_that_decides_for_it(
    served: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(served.home))
    monkeypatch.setenv("DATABASE_URL", served.url)

    async def reference(tenant: str) -> str:
        assert await asyncio.to_thread(run, ["drift", "--tenant", tenant, "--json"]) == 0
        document = json.loads(capsys.readouterr().out)
        assert set(document["calibration"]) == {"ensemble", *PLAN.voters}
        assert {s["name"] for s in document["scores"]} == {"ensemble", *PLAN.variants}
        assert all(s["rows"] == SERVED for s in document["scores"])
        return str(document["reference"])

    await serve_moved(served.url, served.now, "guest", fresh=False)
    own = owned_plan(PLAN, "mine")
    await serve_moved(served.url, served.now, "mine", own, fresh=False)
    train_champion(served.home / "artifacts", "mine", shift=1.0)
    await activate_plan(served.url, own, "mine")
    house = await reference("default")
    assert await reference("guest") == house
    assert await reference("mine") != house


async def test_models_without_reference_say_so(served: Served, tmp_path: Path) -> None:
    root = tmp_path / "older"
    version, digest = tiny_artifact(root, "xgboost", n_features=N_FEATURES, schema_id=SCHEMA_ID)
    point_alias(root, "xgboost", version, digest)
    with pytest.raises(NotFound, match="train again"):
        origin_of(PLAN, open_store(str(root), served.settings()))
