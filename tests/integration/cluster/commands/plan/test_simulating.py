"""`quorum plan simulate` on decisions in a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest

from cluster.cli import run
from cluster.plans.reading import read_plan_text
from decision_log.shipping.postgres_sink import PostgresSink
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.plan import Plan
from fraud.record import DecisionRecord
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.decisions import gathered
from tests.contracts.plans import leaf
from tests.contracts.recorded import made, row_decided

PLAN = Plan("default", 3, leaf("xgboost", "logistic"))
SAME = """\
name: ours
kind: ensemble
members: [{variant: xgboost, weight: 1}, {variant: logistic, weight: 1}]
thresholds: {challenge: 0.2, review: 0.5, block: 0.9}
"""
STRICT = SAME.replace("0.2", "0.1").replace("0.5", "0.3")


@pytest.fixture(scope="module")
def records(database_url: str) -> list[DecisionRecord]:
    found = sorted(made(PLAN, 120), key=lambda record: record.decision_id)

    async def store() -> None:
        sink = PostgresSink(database_url)
        await sink.insert(gathered(found))
        await sink.close()

    asyncio.run(store())
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Path:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("xgboost", "logistic", "random-forest"):
        made_of = tiny_artifact(
            tmp_path / "artifacts", name, n_features=N_FEATURES, schema_id=SCHEMA_ID
        )
        point_alias(tmp_path / "artifacts", name, *made_of)
    return tmp_path


def write(home: Path, text: str) -> str:
    (home / "plan.yaml").write_text(text, "utf-8")
    return str(home / "plan.yaml")


def test_a_plan_in_a_file_is_simulated(
    home: Path, records: list[DecisionRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["plan", "simulate", write(home, SAME), "--json"]) == 0
    same = json.loads(capsys.readouterr().out)
    assert (same["decisions"], same["flipped"], same["last"]) == (120, 0, 10_000)
    assert run(["plan", "simulate", write(home, STRICT), "--last", "50", "--json"]) == 0
    strict = json.loads(capsys.readouterr().out)
    policy = Plan.from_document({**_document(STRICT), "version": 1})
    after = [int(row_decided(policy, record)[1].outcome[0]) for record in records[-50:]]
    assert [o["after"] for o in strict["outcomes"]] == [after.count(i) for i in range(4)]
    assert run(["plan", "simulate", write(home, STRICT)]) == 0
    said = capsys.readouterr().out
    assert "120 decisions of tenant default under plan ours v1 instead of default v3" in said


def test_models_are_asked_unless_nobody_is_to_be(
    home: Path, records: list[DecisionRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(home, SAME.replace("logistic", "random-forest"))
    assert run(["plan", "simulate", path, "--json"]) == 0
    votes = {v["variant"]: v for v in json.loads(capsys.readouterr().out)["votes"]}
    assert list(votes["random-forest"]["asked"].values()) == [120]
    assert votes["xgboost"]["asked"] == {}
    assert run(["plan", "simulate", path, "--ask", "none", "--json"]) == 0
    votes = {v["variant"]: v for v in json.loads(capsys.readouterr().out)["votes"]}
    assert votes["random-forest"]["missing"] == {"not on record": 120}
    assert run(["plan", "simulate", path, "--ask", "late", "--json"]) == 0
    votes = {v["variant"]: v for v in json.loads(capsys.readouterr().out)["votes"]}
    assert sum(votes["xgboost"]["asked"].values()) > 0
    assert set(votes["xgboost"]["missing"]) <= {"no number"}


def test_a_stored_plan_is_simulated_and_an_unknown_one_is_told(
    home: Path,
    records: list[DecisionRecord],
    database_url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["plan", "apply", write(home, STRICT), "--json"]) == 0
    capsys.readouterr()
    for name in ("ours", "ours@1"):
        assert run(["plan", "simulate", name, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["plan"] == {"name": "ours", "version": 1}
    assert run(["plan", "simulate", "theirs"]) == 1
    assert "there is no plan theirs" in capsys.readouterr().err

    async def stored() -> int:
        connection = await asyncpg.connect(database_url)
        try:
            return int(await connection.fetchval("SELECT count(*) FROM plans"))
        finally:
            await connection.close()

    assert asyncio.run(stored()) == 1


def test_a_wrong_file_names_the_line(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["plan", "simulate", write(home, SAME.replace("xgboost", "no-such"))]) == 1
    said = capsys.readouterr().err
    assert "there is no such champion" in said
    assert "nothing was simulated" in said


def _document(text: str) -> dict[str, object]:
    return read_plan_text(text).document
