"""Models, pools and plans change while payments are decided. No request is lost, and none mixed:
the plan that an answer names explains it alone, and its record replays.

Prints timelines, and writes them to `quorum-changes-under-load-*.txt` in the folder for temporary
files.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from cluster.node.node import Node
from deciding.replay.replay import fetch, replay
from features.definitions import N_FEATURES, SCHEMA_ID
from fraud.ensemble import Ensemble, Member, Thresholds
from fraud.errors import NotFound
from fraud.plan import Plan
from fraud.policy.ab import AB, Arm
from fraud.policy.cascade import Cascade, Stage
from fraud.policy.interface import Policy
from fraud.policy.segments import Condition, Segment, Segments
from fraud.policy.shadow import Shadow, ShadowPolicy
from tests.contracts.artifacts import point_alias, tiny_artifact
from tests.contracts.small_quorum import VARIANTS, Quorum
from tests.contracts.steady_load import Answers, Client, Timeline, steady_load

RATE = 30.0
CHANGES = 15
REPLAYED = 60
SHARED = 5
TENANT = "default"
THRESHOLDS = Thresholds(0.3, 0.4, 0.45)
LOGISTIC = Ensemble((Member("logistic", 1.0),), THRESHOLDS, kind="single")
BOTH = Ensemble((Member("xgboost", 0.6), Member("logistic", 0.4)), THRESHOLDS)
CHAMPIONS = Plan("champions", 1, BOTH)


def plans_with(pinned: str) -> list[Plan]:
    """Plans of every kind that ask one pinned version beside the champions."""
    old = Ensemble((Member(pinned, 1.0),), THRESHOLDS, kind="single")
    three = replace(BOTH, members=(Member(pinned, 0.3), *BOTH.members))
    split = AB((Arm("control", 50, BOTH), Arm("old", 50, old)), "load")
    kinds: dict[str, Policy] = {
        "old": old,
        "old-and-new": three,
        "shadowed-split": Shadow(split, (ShadowPolicy("candidate", old),)),
        "cascade": Cascade((Stage(LOGISTIC, settle_below=0.4), Stage(three))),
        "by-amount": Segments((Segment("large", Condition(amount_from=300.0), split),), LOGISTIC),
    }
    return [Plan(name, 1, policy) for name, policy in kinds.items()]


@pytest.fixture(scope="module")
def quorum(node: Node, database_url: str, redis_url: str) -> Quorum:
    quorum = Quorum.of(node, database_url, redis_url)
    for variant in VARIANTS:
        quorum.publish(variant, 0.004)
    quorum.activate(CHAMPIONS)
    assert quorum.deploy()["removed"] == []
    return quorum


@pytest.fixture(scope="module")
def key(quorum: Quorum) -> str:
    return quorum.key(TENANT)


def eventually(check: Callable[[], bool], timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, f"not within {timeout_s} s"
        time.sleep(0.1)


def version_of(answer: dict[str, Any], variant: str) -> str:
    """The version of a variant that voted in an answer, "" if none did."""
    found = [vote["version"] for vote in answer.get("variants", ()) if vote["name"] == variant]
    return str(found[0]) if found else ""


def test_no_request_is_lost_and_none_mixed(quorum: Quorum, key: str) -> None:
    first = {variant: quorum.champion(variant) for variant in VARIANTS}
    plans = [quorum.activate(CHAMPIONS)]
    with steady_load(quorum.node.url, [Client(key)], RATE, "load") as [seen]:
        timeline = Timeline([seen])
        eventually(lambda: len(seen.decided) > RATE)
        timeline.note("load runs: plan champions 1")

        newer = quorum.publish("xgboost", 0.008)
        eventually(lambda: version_of(seen.last, "xgboost") == newer)
        timeline.note(f"a good new version decides: xgboost {newer}")

        corrupt = quorum.publish_corrupt("logistic", 0.006)
        refused = 'fraud_variant_swaps_total{result="refused",variant="logistic"}'
        eventually(lambda: quorum.metrics(refused) >= 1)
        timeline.note(f"a corrupt artifact is refused: logistic {corrupt}")
        quorum.promote("logistic", first["logistic"])

        pinned, before = f"xgboost@{first['xgboost']}", quorum.replicas()
        report = quorum.deploy("--add", pinned)
        assert [pool["name"] for pool in report["pools"] if pool["added"]] == [pinned]
        after = quorum.replicas()
        assert {name: after[name] for name in before} == before
        timeline.note(f"`quorum deploy --add {pinned}` is done; no other replica was restarted")

        plans += [quorum.activate(plan) for plan in plans_with(pinned)]
        _change_every_second(quorum, plans, timeline)
        assert {answer["plan"]["name"] for answer in seen.decided} == {p.name for p in plans}

        quorum.go_back(plans[0])
        quorum.promote("xgboost", first["xgboost"])
        eventually(
            lambda: (
                seen.last["plan"]["name"] == "champions"
                and version_of(seen.last, "xgboost") == first["xgboost"]
            )
        )
        timeline.note("rolled back to the first plan and the first version")
        sent = seen.sent
        eventually(lambda: seen.sent > sent + RATE)
        timeline.note("end")
    _keep(timeline, "changes")
    assert seen.failures == []
    versions = {"xgboost": {first["xgboost"], newer}, "logistic": {first["logistic"]}}
    for answer in seen.decided:
        _explained_by_its_plan(answer, plans, versions)
    arms = {(answer["plan"]["name"], answer["plan"]["arm"]) for answer in seen.decided}
    assert arms >= {(plan.name, arm) for plan in plans for arm, _ in plan.leaves()}
    _replayed(quorum, seen.decided, plans)
    _shadowed(quorum, seen)


def _change_every_second(quorum: Quorum, plans: list[Plan], timeline: Timeline) -> None:
    began = time.monotonic()
    for change in range(CHANGES):
        plan = plans[change % len(plans)]
        time.sleep(max(0.0, began + change - time.monotonic()))
        quorum.go_back(plan)
        timeline.note(f"activated {plan.name} {plan.version}")


def _explained_by_its_plan(
    answer: dict[str, Any], plans: list[Plan], versions: dict[str, set[str]]
) -> None:
    """Check that the votes of an answer are those that its plan asks for.

    Args:
        versions: of each variant without one of its own, those that may have voted.
    """
    made_by = answer["plan"]
    [plan] = [p for p in plans if (p.name, p.version) == (made_by["name"], made_by["version"])]
    asked = dict(plan.leaves())[made_by["arm"]].variants
    voted = [vote["name"] for vote in answer["variants"]]
    if plan.kind == "cascade":  # the votes of earlier stages count, too
        assert set(asked) <= set(voted) <= set(plan.deciding_variants), answer
    else:
        assert voted == list(asked), answer
    assert all(vote["status"] == "ok" for vote in answer["variants"]), answer
    assert not any("variant" in reason for reason in answer["degraded_reasons"]), answer
    for vote in answer["variants"]:
        name, _, pinned = vote["name"].partition("@")
        assert vote["version"] in ({pinned} if pinned else versions[name]), answer


def _replayed(
    quorum: Quorum, decided: list[dict[str, Any]], plans: list[Plan], tenant: str = TENANT
) -> None:
    """Check that decisions of every plan, spread over the whole time, replay as they were."""
    chosen = decided[:: max(1, len(decided) // REPLAYED)]

    async def stored() -> list[Any]:
        connection = await asyncpg.connect(quorum.database_url)
        try:
            return [await _stored(connection, tenant, answer["decision_id"]) for answer in chosen]
        finally:
            await connection.close()

    records = asyncio.run(stored())
    assert {record.record.plan["name"] for record in records} == {p.name for p in plans}
    for record in records:
        again = replay(record, quorum.store)
        assert again.matches, again.to_document()
        assert not any(c.what.startswith("score") and c.result != "same" for c in again.checks)


def _shadowed(quorum: Quorum, seen: Answers) -> None:
    """Check that the shadow was asked about decisions of its own plan, and of no other."""
    decided = {a["decision_id"] for a in seen.decided if a["plan"]["name"] == "shadowed-split"}

    async def stored() -> set[str]:
        connection = await asyncpg.connect(quorum.database_url)
        try:
            rows = await connection.fetch(
                "SELECT decision_id FROM shadow_decisions WHERE shadow = 'candidate'"
            )
            return {str(row["decision_id"]) for row in rows}
        finally:
            await connection.close()

    eventually(lambda: len(asyncio.run(stored())) > 0)
    assert asyncio.run(stored()) <= decided


async def _stored(connection: asyncpg.Connection, tenant: str, decision_id: str) -> Any:
    """Read a record, as soon as it has been shipped."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await fetch(connection, tenant, decision_id)
            except NotFound:
                await asyncio.sleep(0.2)


def _keep(timeline: Timeline, what: str) -> None:
    path = Path(tempfile.gettempdir()) / f"quorum-changes-under-load-{what}.txt"
    path.write_text(str(timeline))


def test_each_tenant_is_decided_by_its_own_plan_and_models(quorum: Quorum, key: str) -> None:
    """Two tenants with own models and plans on unlike payments, and one that the house decides.
    Their rows share micro-batches."""
    mine = {"old": quorum.publish("xgboost", 0.02, "mine")}
    other = quorum.publish("xgboost", 0.5, "other"), quorum.publish("logistic", 0.3, "other")
    house = quorum.activate(CHAMPIONS)
    names = ("mine/xgboost", "other/xgboost", "other/logistic")
    quorum.deploy(*(word for name in names for word in ("--add", name)))
    own = Ensemble((Member(names[0], 0.5), Member("logistic", 0.5)), THRESHOLDS)
    both = AB((Arm("control", 50, _alone(names[1])), Arm("new", 50, _alone(names[2]))), "other")
    plans = {
        TENANT: house,
        "mine": quorum.activate(Plan("mine", 1, own), "mine"),
        "other": quorum.activate(Plan("others", 1, both), "other"),
    }
    clients = [
        Client(key),
        Client(quorum.key("mine"), {"currency": "JPY", "amount": "150"}),
        Client(quorum.key("other"), {"type": "transfer", "amount": "3.10"}),
    ]
    with steady_load(quorum.node.url, clients, 2 * RATE, "tenants", at_once=24) as answers:
        timeline = Timeline(answers)
        seen = dict(zip(plans, answers, strict=True))
        eventually(
            lambda: all(
                a.last.get("plan", {}).get("name") == plans[t].name for t, a in seen.items()
            )
        )
        decided = {tenant: len(a.decided) for tenant, a in seen.items()}
        timeline.note("each tenant is decided by its own plan")
        mine["new"] = quorum.publish("xgboost", 0.03, "mine")
        eventually(lambda: version_of(seen["mine"].last, "mine/xgboost") == mine["new"])
        timeline.note(f"tenant mine has a new champion: {mine['new']}")
        eventually(lambda: _shared(seen) >= SHARED)
        timeline.note(f"{SHARED} micro-batches had rows of several tenants")
    _keep(timeline, "tenants")
    assert [a.failures for a in answers] == [[], [], []]
    versions = {
        "xgboost": {quorum.champion("xgboost")},
        "logistic": {quorum.champion("logistic")},
        "mine/xgboost": set(mine.values()),
        "other/xgboost": {other[0]},
        "other/logistic": {other[1]},
    }
    for tenant, found in seen.items():
        since = found.decided[decided[tenant] :]
        for answer in since:
            _explained_by_its_plan(answer, [plans[tenant]], versions)
        _replayed(quorum, since, [plans[tenant]], tenant)


def _shared(seen: dict[str, Answers]) -> int:
    """Return how many micro-batches had rows of several tenants: answers of one micro-batch were
    made in the same millisecond, after features that took equally long."""
    batches: dict[tuple[str, float], set[str]] = {}
    for tenant, found in seen.items():
        for answer in list(found.decided):
            batch = answer["decided_at"], answer["stage_ms"]["features"]
            batches.setdefault(batch, set()).add(tenant)
    return sum(len(tenants) > 1 for tenants in batches.values())


def _alone(variant: str) -> Ensemble:
    return Ensemble((Member(variant, 1.0),), THRESHOLDS, kind="single")


def test_a_pool_that_cannot_load_fails_alone_and_is_tried_again(quorum: Quorum, key: str) -> None:
    quorum.activate(CHAMPIONS)
    before = quorum.replicas()
    version, digest = tiny_artifact(
        quorum.root, "catboost", n_features=N_FEATURES, schema_id=SCHEMA_ID, slope=1.5
    )
    point_alias(quorum.root, "catboost", version, digest)
    model = quorum.root / "catboost" / version / "model.onnx"
    whole = model.read_bytes()
    model.write_bytes(b"corrupt" + whole[7:])
    with steady_load(quorum.node.url, [Client(key)], RATE, "alone") as [seen]:
        done = quorum.run("deploy", "--add", "catboost", ok=False)
        assert done.returncode == 1
        assert "application variant-catboost: " in done.stderr
        assert f"the {len(before)} others run" in done.stderr
        assert "`quorum variants remove catboost`" in done.stderr
        shown = httpx.get(
            f"{quorum.node.url}/v1/variants", headers={"x-api-key": key}, trust_env=False
        ).json()
        states = {pool["name"]: pool["app_status"] for pool in shown["variants"]}
        assert states["catboost"] == "DEPLOY_FAILED"
        assert states["xgboost"] == "RUNNING"
        after = quorum.replicas()
        assert {name: after[name] for name in before} == before

        model.write_bytes(whole)
        quorum.deploy()
        after = quorum.replicas()
        assert len(after.pop("variant-catboost")) == 1
        assert after == before

        quorum.run("variants", "remove", "catboost")
        assert quorum.deploy()["removed"] == ["catboost"]
        eventually(lambda: "variant-catboost" not in quorum.replicas())
    assert seen.failures == []
    assert seen.sent > RATE
