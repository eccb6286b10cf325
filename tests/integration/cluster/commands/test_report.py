"""`quorum report` on a real PostgreSQL and a real MLflow."""

from __future__ import annotations

import asyncio
import csv
import json
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from cluster.cli import run
from tests.contracts.experiment import record, world

DAYS = "--days=3650"


@pytest.fixture(scope="module")
def recorded(database_url: str) -> str:
    async def fill() -> None:
        connection = await asyncpg.connect(database_url)
        # By the time of the test every payment is old enough.
        made = world(6_000)
        await record(connection, replace(made, decided_ms=made.decided_ms - 400 * 86_400_000))
        await connection.close()

    asyncio.run(fill())
    return database_url


@pytest.fixture(autouse=True)
def place(recorded: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("DATABASE_URL", recorded)
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.delenv("QUORUM_MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


def test_json_page_and_csv_tell_the_same(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, table = place / "report.html", place / "report.csv"
    arguments = ["report", "default", "--tenant", "acme", DAYS, "--json"]
    assert run([*arguments, "--html", str(page), "--csv", str(table)]) == 0
    document = json.loads(capsys.readouterr().out)
    compared = document["comparisons"]
    decisions = {c["side"]["name"]: c["recommendation"]["decision"] for c in compared}
    assert decisions["candidate"] == "promote"
    lines = list(csv.DictReader(table.read_text().splitlines()))
    assert {
        line["name"]: line["is"] for line in lines if line["measure"] == "recommendation"
    } == decisions
    assert "shadow candidate" in page.read_text()


def test_people_read_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "default", "--tenant", "acme", DAYS, "--version", "7"]) == 0
    assert "shadow candidate against the plan" in capsys.readouterr().out


def test_the_start_of_an_experiment_can_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["report", "default", "--tenant", "acme", "--json"]
    assert run([*arguments, "--since", "2020-01-01"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["from"] == "2020-01-01T00:00:00Z"
    assert document["sides"][0]["maturity"]["decisions"] == 6_000
    assert run([*arguments, "--since", "2020-01-01T12:00:00"]) == 0
    assert json.loads(capsys.readouterr().out)["from"] == "2020-01-01T12:00:00Z"


def test_nothing_decided_names_what_to_try(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "default", "--tenant", "nobody", DAYS]) == 1
    error = capsys.readouterr().err
    assert "plan default decided no payment" in error
    assert "--tenant names another tenant" in error
    assert run(["report", "default", "--tenant", "acme", "--days", "1"]) == 1


def test_a_folder_that_is_not_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(place / "none" / "report.html")
    assert run(["report", "default", "--tenant", "acme", DAYS, "--html", missing]) == 1
    assert "choose a file in an existing folder" in capsys.readouterr().err


def test_each_side_is_a_run_in_mlflow(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["report", "default", "--tenant", "acme", DAYS, "--json", "--mlflow"]) == 0
    document = json.loads(capsys.readouterr().out)
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("quorum")
    assert experiment is not None
    runs = client.search_runs(
        [experiment.experiment_id], "tags.kind = 'experiment' AND tags.plan = 'default'"
    )
    assert {(r.data.tags["side"], r.data.tags["name"]) for r in runs} == {
        (side["kind"], side["name"]) for side in document["sides"]
    }
    (shadow,) = [r for r in runs if r.data.tags["side"] == "shadow"]
    side = next(s for s in document["sides"] if s["kind"] == "shadow")
    comparison = next(c for c in document["comparisons"] if c["side"]["kind"] == "shadow")
    cost = next(d for d in comparison["differences"] if d["measure"] == "cost")
    metrics, tags = shadow.data.metrics, shadow.data.tags
    assert metrics["average_precision"] == side["figures"]["average_precision"]
    assert metrics["frauds"] == side["maturity"]["frauds"]
    assert (metrics["vs_cost"], metrics["vs_cost_high"]) == (cost["difference"], cost["high"])
    assert tags["models"] == "xgboost@cccccccccccc"
    assert (tags["against"], tags["recommendation"]) == ("plan", "promote")
    assert tags["plan_versions"] == "6,7"
    (whole,) = [r for r in runs if r.data.tags["side"] == "plan"]
    kept = {file.path for file in client.list_artifacts(whole.info.run_id)}
    assert kept == {"report.json", "report.html"}
