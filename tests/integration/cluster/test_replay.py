"""`quorum replay` on decisions in a real PostgreSQL, with real artifacts."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace

import asyncpg
import numpy as np
import pytest

from cluster.cli import run
from deployments.audit.ledger import PostgresLedger
from deployments.scorer import Scorer
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.batch import FeatureBatch
from fraud.combine.combine import combine
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Vote
from fraud.ids import decision_ids
from fraud.plan import Member, Plan, Thresholds
from fraud.record import DecisionRecord, plan_digest, records
from tests.contracts.artifacts import tiny_artifact
from tests.contracts.decisions import DECIDED_AT_MS, decision_records, gathered, transactions

PLAN = Plan(
    "default",
    4,
    "ensemble",
    (Member("xgboost", 2.0), Member("logistic", 1.0)),
    Thresholds(0.1, 0.2, 0.3),
    calibration=((0.0, 0.0), (0.5, 0.4), (1.0, 1.0)),
)


@pytest.fixture
def home(tmp_path, monkeypatch, database_url):
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", database_url)
    return tmp_path


@pytest.fixture
def decided(home) -> list[DecisionRecord]:
    """Decisions by two real artifacts, stored."""
    n = 6
    batch = transactions(n, "replay")
    rng = np.random.default_rng(3)
    values = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    values[0, 0] = np.nan
    votes = []
    for name, slope in (("xgboost", 1.0), ("logistic", -2.0)):
        version, digest = tiny_artifact(
            home / "artifacts", name, n_features=N_FEATURES, schema_id=SCHEMA_ID, slope=slope
        )
        scorer = Scorer.load(home / "artifacts" / name / version, digest)
        votes.append(Vote(name, version, "ok", scorer.score(values, SCHEMA_ID), 1.0, digest))
    return store(made(batch, values, tuple(votes)))


def made(batch, values, votes: tuple[Vote, ...]) -> list[DecisionRecord]:
    n = len(batch)
    combined = combine(PLAN, votes, n)
    decisions = DecisionBatch(
        decision_ids(n, DECIDED_AT_MS, os.urandom),
        batch.transaction_id,
        combined.outcome.tolist(),
        combined.probability.tolist(),
        risk_scores(PLAN.thresholds, combined.probability, combined.outcome),
        combined.anomaly.tolist(),
        [()] * n,
        votes,
        PLAN.name,
        PLAN.version,
        combined.degraded,
        [-1] * n,
        DECIDED_AT_MS,
    )
    features = FeatureBatch(values, SCHEMA_ID, np.full(n, -1, dtype=np.int64))
    return list(records(batch, features, decisions, PLAN))


def store(written: list[DecisionRecord]) -> list[DecisionRecord]:
    async def insert() -> None:
        ledger = PostgresLedger(os.environ["DATABASE_URL"])
        await ledger.insert(gathered(written))
        await ledger.close()

    asyncio.run(insert())
    return written


def execute(statement: str, *arguments: object) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(os.environ["DATABASE_URL"])
        await connection.execute(statement, *arguments)
        await connection.close()

    asyncio.run(work())


def replayed(record: DecisionRecord, capsys) -> tuple[int, dict]:
    code = run(["replay", record.decision_id, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_an_honest_record_matches(decided, capsys):
    for record in decided:
        code, report = replayed(record, capsys)
        assert code == 0
        assert report["matches"] is True
        verdicts = {check["what"]: check["verdict"] for check in report["checks"]}
        assert set(verdicts.values()) == {"same"}
        assert {"outcome", "probability", "anomaly score"} < set(verdicts)
        assert sum(what.startswith("score of") for what in verdicts) == 2


def test_it_says_so_in_one_line(decided, capsys):
    assert run(["replay", decided[0].decision_id]) == 0
    assert "matches: 9 checks the same" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("{outcome}", '"perhaps"', "outcome"),
        ("{probability}", "0.123", "probability"),
        ("{votes,0,score}", "0.987", "score of xgboost"),
    ],
)
def test_a_record_that_was_tampered_with_does_not(decided, capsys, path, value, what):
    record = max(decided, key=lambda r: r.probability)
    assert record.outcome != "approve"
    execute(
        "UPDATE decisions SET record = jsonb_set(record::jsonb, $2::text[], $3::text::jsonb)"
        " WHERE decision_id = $1::text::uuid",
        record.decision_id,
        path.strip("{}").split(","),
        value,
    )
    code, report = replayed(record, capsys)
    assert code == 1
    assert report["matches"] is False
    differing = [check["what"] for check in report["checks"] if check["verdict"] == "differs"]
    assert any(name.startswith(what) for name in differing)
    assert run(["replay", record.decision_id]) == 1
    assert "DOES NOT MATCH" in capsys.readouterr().out


def test_a_plan_that_was_tampered_with_does_not(decided, capsys):
    record = max(decided, key=lambda r: r.probability)
    change = (
        "UPDATE recorded_plans SET document = jsonb_set(document, '{thresholds,challenge}', $1)"
        " WHERE digest = $2"
    )
    execute(change, "0.0001", plan_digest(record.plan))
    try:
        code, report = replayed(record, capsys)
    finally:
        execute(change, "0.1", plan_digest(record.plan))
    assert code == 1
    assert [c["what"] for c in report["checks"] if c["verdict"] == "differs"] == ["plan digest"]
    assert replayed(record, capsys)[0] == 0


def test_features_that_were_tampered_with_do_not(decided, capsys):
    record = decided[1]
    execute(
        "UPDATE decisions SET features = $2 WHERE decision_id = $1::text::uuid",
        record.decision_id,
        (record.values() + 1).tobytes(),
    )
    code, report = replayed(record, capsys)
    assert code == 1
    assert [c["verdict"] for c in report["checks"] if c["what"].startswith("score")] == [
        "differs",
        "differs",
    ]


def test_without_the_artifacts_the_combination_is_still_checked(home, capsys):
    (record,) = store(decision_records(1, "elsewhere"))
    code, report = replayed(record, capsys)
    assert code == 0
    verdicts = {c["what"].split(" 0")[0]: c["verdict"] for c in report["checks"]}
    assert verdicts["probability"] == verdicts["outcome"] == "same"
    assert verdicts["score of xgboost"] == "unchecked"


def test_an_artifact_that_was_tampered_with_is_refused(home, decided, capsys):
    vote = decided[0].votes[0]
    model = home / "artifacts" / vote.variant / vote.version / "model.onnx"
    model.write_bytes(model.read_bytes() + b"x")
    code, report = replayed(decided[0], capsys)
    assert code == 1
    assert "digest" in next(c["note"] for c in report["checks"] if c["verdict"] == "differs")


def test_what_rules_decided_is_decided_again(home, capsys):
    from features.definitions import NAMES
    from fraud.combine.rules import judge

    batch = transactions(1, "rules")
    batch = replace(batch, amount_minor=[900_000])
    values = np.full((1, N_FEATURES), np.nan, dtype=np.float32)
    votes = (Vote("xgboost", "", "late", None, 100.0), Vote("logistic", "", "missing", None, 0.0))
    (record,) = made(batch, values, votes)
    rules = judge(PLAN.thresholds, batch, values, NAMES).probability
    combined = combine(PLAN, votes, 1, rules)
    store([replace(record, probability=float(combined.probability[0]), outcome="challenge")])
    code, report = replayed(record, capsys)
    assert (code, report["matches"]) == (0, True)
    assert "rules decided" in [c["note"] for c in report["checks"]]


@pytest.mark.parametrize("text", ["", "x", "0" * 36, "9fb2f3a6-7b5e-4d0e-9a53-0d8f6a1f2a11"])
def test_what_is_no_decision_id_is_told_in_one_line(home, capsys, text):
    assert run(["replay", text]) == 2
    assert "is not a decision id" in capsys.readouterr().err


def test_another_tenants_decision_is_not_found(decided, capsys):
    assert run(["replay", decided[0].decision_id, "--tenant", "other"]) == 1
    assert "tenant other has no decision" in capsys.readouterr().err
