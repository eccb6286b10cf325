"""`quorum replay` on decisions in a real PostgreSQL, with real artifacts."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import asyncpg
import numpy as np
import pytest
import xgboost

from cluster.cli import run
from deciding.explainer import EXPLAINERS
from decision_log.shipping.postgres_sink import PostgresSink
from features.definitions import N_FEATURES, NAMES, RULE_SET, SCHEMA_ID
from features.reason_columns import reason_writer
from fraud.combine.combine import combine
from fraud.combine.risk import risk_scores
from fraud.decision import DecisionBatch, Vote
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.ids import decision_ids
from fraud.payment.batch import FeatureBatch
from fraud.plan import Plan
from fraud.reasons.selection import ReasonSelection
from fraud.record import DecisionRecord, plan_digest, records
from models.artifact import read_manifest, sha256_of, version_of, write_manifest
from models.drift import REFERENCE_FILE, ReferenceDistribution, ReferenceDistributions
from models.scoring.scorer import Scorer
from models.trees import TreeContributions
from tests.contracts.artifacts import tiny_artifact
from tests.contracts.decisions import DECIDED_AT_MS, decision_records, gathered, transactions
from training.export.leaves import leaves_of_booster

PLAN = Plan(
    "default",
    4,
    Ensemble(
        (Member("xgboost", 2.0), Member("logistic", 1.0)),
        Thresholds(0.1, 0.2, 0.3),
        calibration=((0.0, 0.0), (0.5, 0.4), (1.0, 1.0)),
    ),
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


def made(batch, values, votes: tuple[Vote, ...], explanation=None) -> list[DecisionRecord]:
    """Decisions, with the reasons that `explanation`, or else the rules, lead to."""
    n = len(batch)
    fired = RULE_SET.apply(PLAN.ensemble.thresholds, batch, values)
    combined = combine(PLAN.ensemble, votes, n, fired.probability)
    selection = ReasonSelection(
        PLAN.ensemble.thresholds, combined.probability, combined.anomaly, combined.outcome
    )
    contributions, rows = {}, selection.rows_by_score
    if explanation is not None:
        found = explanation(values[rows])
        contributions = dict(
            zip(rows, reason_writer(NAMES).strongest(batch, rows, values[rows], found), strict=True)
        )
    decisions = DecisionBatch(
        decision_ids(n, DECIDED_AT_MS, os.urandom),
        batch.transaction_id,
        combined.outcome.tolist(),
        combined.probability.tolist(),
        risk_scores(PLAN.ensemble.thresholds, combined.probability, combined.outcome),
        combined.anomaly.tolist(),
        selection.reasons(contributions, fired.reasons),
        votes,
        PLAN.name,
        PLAN.version,
        combined.degraded,
        [-1] * n,
        DECIDED_AT_MS,
        "" if explanation is None else votes[0].digest,
    )
    features = FeatureBatch(values, SCHEMA_ID, np.full(n, -1, dtype=np.int64))
    return list(records(batch, features, decisions, PLAN))


def explaining_artifact(root: Path, variant: str) -> tuple[str, str]:
    """An artifact with contributions and a reference distribution."""
    rng = np.random.default_rng(5)
    values = rng.normal(loc=3, size=(400, N_FEATURES)).astype(np.float32)
    data = xgboost.DMatrix(values, (values[:, 0] + values[:, 12] > 6).astype(int))
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 3}, data, 8)
    version, _ = tiny_artifact(root, variant, n_features=N_FEATURES, schema_id=SCHEMA_ID)
    folder = root / variant / version
    scores = ReferenceDistribution.of((variant,), rng.random((400, 1)))
    references = ReferenceDistributions(ReferenceDistribution.of(NAMES, values), scores)
    contributions = TreeContributions(leaves_of_booster(booster), N_FEATURES)
    (folder / "trees.npz").write_bytes(contributions.to_bytes())
    (folder / REFERENCE_FILE).write_bytes(references.to_bytes())
    manifest, _ = read_manifest(folder)
    names = (*manifest.files, "trees.npz", REFERENCE_FILE)
    digest = write_manifest(
        folder, replace(manifest, files={name: sha256_of(folder / name) for name in names})
    )
    folder.rename(root / variant / version_of(digest))
    return version_of(digest), digest


@pytest.fixture(params=EXPLAINERS)
def explained(home, request) -> list[DecisionRecord]:
    """Decisions that a real model explains, stored."""
    name = request.param
    (other,) = set(EXPLAINERS) - {name}
    n = 12
    batch = transactions(n, "explained")
    values = np.random.default_rng(3).normal(loc=3, size=(n, N_FEATURES)).astype(np.float32)
    version, digest = explaining_artifact(home / "artifacts", name)
    scorer = Scorer.load(home / "artifacts" / name / version, digest)
    votes = (
        Vote(name, version, "ok", scorer.score(values, SCHEMA_ID), 1.0, digest),
        Vote(other, "", "late", None, 100.0),
    )
    return store(made(batch, values, votes, lambda rows: scorer.explain(rows, SCHEMA_ID)))


def test_reasons_are_found_again(explained, capsys):
    assert any("usually" in r.detail for record in explained for r in record.reasons)
    for record in explained:
        code, report = replayed(record, capsys)
        assert (code, [c["what"] for c in report["checks"] if c["verdict"] != "same"]) == (0, [])


def test_reasons_that_were_tampered_with_are_not(explained, capsys):
    record = next(r for r in explained if r.reasons)
    execute(
        "UPDATE decisions SET record ="
        " jsonb_set(record::jsonb, '{reasons,0,detail}', '\"all is well\"')::json"
        " WHERE decision_id = $1::text::uuid",
        record.decision_id,
    )
    code, report = replayed(record, capsys)
    assert (code, [c["what"] for c in report["checks"] if c["verdict"] == "differs"]) == (
        1,
        ["reasons"],
    )


def test_reasons_without_their_artifact_are_unchecked(home, explained, capsys):
    record = next(r for r in explained if r.reasons)
    shutil.rmtree(home / "artifacts" / record.votes[0].variant / record.votes[0].version)
    _, report = replayed(record, capsys)
    assert {c["what"]: c["verdict"] for c in report["checks"]}["reasons"] == "unchecked"


def store(written: list[DecisionRecord]) -> list[DecisionRecord]:
    async def insert() -> None:
        sink = PostgresSink(os.environ["DATABASE_URL"])
        await sink.insert(gathered(written))
        await sink.close()

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


def test_the_command_line_shows_one_line(decided, capsys):
    assert run(["replay", decided[0].decision_id]) == 0
    assert "matches: 12 values equal" in " ".join(capsys.readouterr().out.split())


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


def test_a_decision_by_rules_is_replayed(home, capsys):
    batch = transactions(1, "rules")
    batch = replace(batch, amount_minor=[900_000])
    values = np.full((1, N_FEATURES), np.nan, dtype=np.float32)
    votes = (Vote("xgboost", "", "late", None, 100.0), Vote("logistic", "", "missing", None, 0.0))
    (record,) = store(made(batch, values, votes))
    assert (record.outcome, [r.code for r in record.reasons]) == ("challenge", ["AMOUNT"])
    code, report = replayed(record, capsys)
    assert (code, report["matches"]) == (0, True)
    assert "rules decided" in [c["note"] for c in report["checks"]]


@pytest.mark.parametrize("text", ["", "x", "0" * 36, "9fb2f3a6-7b5e-4d0e-9a53-0d8f6a1f2a11"])
def test_a_wrong_decision_id_is_refused_in_one_line(home, capsys, text):
    assert run(["replay", text]) == 2
    assert "is not a decision id" in capsys.readouterr().err


def test_another_tenants_decision_is_not_found(decided, capsys):
    assert run(["replay", decided[0].decision_id, "--tenant", "other"]) == 1
    assert "tenant other has no decision" in capsys.readouterr().err
