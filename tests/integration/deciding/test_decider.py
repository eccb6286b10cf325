"""Decisions under every kind of plan, by real models, kept by the real log, and made again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest

from deciding.decider import Decider
from deciding.explainer import Explainer
from deciding.fan_out import FanOut
from deciding.replay.replay import fetch, replay
from deciding.shadows import ShadowRunner
from decision_log.log import DecisionLog
from decision_log.shadows.writer import ShadowWriter
from decision_log.shipping.shipper import ShipperConfig
from features.definitions import N_FEATURES, NAMES, SCHEMA_ID
from features.reason_columns import reason_writer
from fraud.payment.batch import FeatureBatch, Float32, TransactionBatch
from fraud.plan import Plan
from fraud.score import VariantScores
from models.scoring.scorer import Scorer
from models.store.location import open_store
from models.store.store import ArtifactStore
from settings.settings import Settings
from tests.contracts.artifacts import tiny_artifact
from tests.contracts.decisions import transactions

N = 60
THRESHOLDS = {"challenge": 0.4, "review": 0.5, "block": 0.6}


def ensemble(*variants: str, **more: Any) -> dict[str, Any]:
    members = [{"variant": name, "weight": 1.0} for name in variants]
    return {"kind": "ensemble", "members": members, "thresholds": THRESHOLDS, **more}


BOTH, FAST, SLOW = ensemble("xgboost", "logistic"), ensemble("logistic"), ensemble("xgboost")
KINDS: dict[str, dict[str, Any]] = {
    "single": SLOW | {"kind": "single"},
    "mean": BOTH,
    "stack": BOTH | {"combiner": "stack", "intercept": -0.5},
    "maximum": BOTH | {"combiner": "maximum"},
    "majority": BOTH | {"combiner": "majority", "at": 0.5},
    "rank": BOTH
    | {
        "combiner": "rank",
        "members": [m | {"ranks": [0.0, 0.4, 0.6, 1.0]} for m in BOTH["members"]],
    },
    "subset": ensemble(
        *("xgboost", "absent"),
        subsets=[{"variants": ["xgboost"], "calibration": [[0.0, 0.1], [1.0, 0.7]]}],
    ),
    "required": ensemble(
        "xgboost", members=[*SLOW["members"], {"variant": "absent", "weight": 1, "required": True}]
    ),
    "ab": {
        "kind": "ab",
        "salt": "s",
        "arms": [
            {"name": "a", "weight": 50, "plan": FAST},
            {"name": "b", "weight": 50, "plan": BOTH},
        ],
    },
    "canary": {"kind": "canary", "baseline": FAST, "canary": SLOW, "step": 3},
    "shadow": {"kind": "shadow", "plan": FAST, "shadows": [{"name": "dark", "plan": BOTH}]},
    "cascade": {
        "kind": "cascade",
        "stages": [{"plan": FAST, "settle_below": 0.4, "settle_from": 0.6}, {"plan": BOTH}],
    },
    "segments": {
        "kind": "segments",
        "segments": [
            {"name": "jpy", "when": {"currency": ["JPY"]}, "plan": FAST,
             "thresholds": {"challenge": 0.1, "review": 0.2, "block": 0.3}},
            {"name": "dear", "when": {"amount": {"from": 1.3}}, "plan": SLOW},
        ],
        "default": BOTH,
    },
}  # fmt: skip


class Models:
    """Real artifacts, asked in this process."""

    def __init__(self, folder: Path) -> None:
        self.store: ArtifactStore = open_store(str(folder), Settings(home=folder))
        self.scorers = {}
        for name, slope in (("xgboost", 0.7), ("logistic", -1.0)):
            version, digest = tiny_artifact(
                folder, name, n_features=N_FEATURES, schema_id=SCHEMA_ID, slope=slope
            )
            self.scorers[name] = Scorer.load(folder / name / version, digest)

    def scorer(self, variant: str) -> Any:
        found = self.scorers.get(variant)

        async def score(values: Float32, schema_id: str) -> VariantScores:
            assert found is not None
            version = found.digest[:12]
            return VariantScores(version, found.digest, found.score(values, schema_id))

        return None if found is None else score


@pytest.fixture
def models(tmp_path: Path) -> Models:
    return Models(tmp_path / "artifacts")


@pytest.fixture
async def log(tmp_path: Path, database_url: str) -> AsyncIterator[DecisionLog]:
    shipper = ShipperConfig(linger_s=0.0, busy_linger_s=0.0)
    log = DecisionLog(tmp_path / "wal", database_url, "writer", shipper=shipper)
    await log.start()
    yield log
    await log.close()


async def features_of(batch: TransactionBatch, patient: bool) -> FeatureBatch:
    values = np.random.default_rng(5).normal(size=(len(batch), N_FEATURES)).astype(np.float32)
    return FeatureBatch(values, SCHEMA_ID, np.zeros(len(batch), dtype=np.int64))


def decider(plan: Plan, models: Models, log: DecisionLog, shadows: Any = None) -> Decider:
    return Decider(
        lambda tenant: plan,
        features_of,
        FanOut(models),
        Explainer(lambda name: None, reason_writer(NAMES)),
        log,
        shadows,
    )


def plan_of(kind: str) -> Plan:
    return Plan.from_document({"name": f"kind-{kind}", "version": 1, **KINDS[kind]})


def payments(kind: str) -> TransactionBatch:
    return transactions(N, f"{kind}-", at_ms=time.time_ns() // 1_000_000)


@pytest.mark.parametrize("kind", KINDS)
async def test_every_decision_is_made_again_from_its_record(
    kind: str, models: Models, log: DecisionLog, database_url: str
) -> None:
    decisions = await decider(plan_of(kind), models, log).decide(payments(kind))
    await log.close()
    connection = await asyncpg.connect(database_url)
    try:
        for batch in decisions.batches:
            for decision_id in batch.decision_id:
                found = replay(await fetch(connection, "default", decision_id), models.store)
                differing = [check for check in found.checks if check.result == "differs"]
                assert (found.matches, differing) == (True, [])
                assert {c.recomputed for c in found.checks if c.what == "arm"} == {batch.arm}
    finally:
        await connection.close()
    arms = {batch.arm for batch in decisions.batches}
    expected = {arm for arm, _ in plan_of(kind).leaves()}
    assert arms == expected, "the payments take every way through the plan"


async def test_a_shadow_is_on_record_beside_the_decision(
    models: Models, log: DecisionLog, database_url: str
) -> None:
    writer = ShadowWriter(database_url, timeout_s=30)
    runner = ShadowRunner(FanOut(models), writer)
    plan = plan_of("shadow")
    decisions = await decider(plan, models, log, runner).decide(payments("dark"))
    [batch] = decisions.batches
    assert [vote.variant for vote in batch.votes] == ["logistic"]
    await asyncio.gather(*runner._tasks)
    await writer.close()
    connection = await asyncpg.connect(database_url)
    rows = await connection.fetch(
        "SELECT * FROM shadow_decisions WHERE plan = $1 ORDER BY decision_id", plan.name
    )
    await connection.close()
    assert [str(row["decision_id"]) for row in rows] == sorted(batch.decision_id)
    values = (await features_of(payments("dark"), True)).values
    scores = [models.scorers[name].score(values, SCHEMA_ID) for name in ("xgboost", "logistic")]
    expected = dict(zip(batch.decision_id, np.mean(scores, axis=0), strict=True))
    for row in rows:
        assert row["probability"] == pytest.approx(expected[str(row["decision_id"])])
        assert (row["shadow"], row["plan_version"], row["tenant"]) == ("dark", 1, "default")


async def test_a_shadow_waits_for_postgres_and_only_so_many(models: Models) -> None:
    writer = ShadowWriter("postgresql://127.0.0.1:1/none", timeout_s=1)
    runner = ShadowRunner(FanOut(models), writer)
    asking = decider(plan_of("shadow"), models, NoLog(), runner)  # type: ignore[arg-type]
    await asking.decide(payments("lost"))
    await asyncio.gather(*runner._tasks)
    assert len(writer._waiting) == N
    await writer.close()


class NoLog:
    """A log that keeps nothing."""

    async def append(self, batches: Any) -> None:
        """Do nothing."""
