"""What one node learns, all know; what all count, is counted once."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import replace

import httpx
import numpy as np

from features.backfill import backfill
from features.definitions import N_FEATURES
from fraud.ensemble import Ensemble, Member
from fraud.payment.batch import TransactionBatch
from fraud.plan import Plan
from tests.contracts.machines import Machine
from tests.contracts.payment_bodies import body_of
from tests.contracts.payments import payments
from tests.contracts.several_machines import (
    PLAN,
    THRESHOLDS,
    SeveralMachines,
    eventually,
    fresh_payment,
    quorum,
)

WITHIN_S = 2.0


def seconds_to_reach(nodes: SeveralMachines, holds: Callable[[Machine], bool]) -> dict[str, float]:
    """Seconds from now until something holds on each node."""
    began_s, took = time.monotonic(), {}
    while len(took) < len(nodes.nodes):
        for machine in nodes.nodes:
            if machine.name not in took and holds(machine):
                took[machine.name] = round(time.monotonic() - began_s, 2)
        assert time.monotonic() - began_s < 60, took
        time.sleep(0.02)
    return took


def test_a_plan_reaches_every_node(nodes: SeveralMachines, key: str) -> None:
    single = Ensemble((Member("logistic", 1.0),), THRESHOLDS, kind="single")
    plan = nodes.activate(Plan("alone", 1, single))
    try:
        took = seconds_to_reach(
            nodes,
            lambda m: (
                nodes.decide(m, key)["plan"]["version"] == plan.version
                and nodes.decide(m, key)["plan"]["name"] == "alone"
            ),
        )
        print(f"a plan: {took}")
        assert max(took.values()) < WITHIN_S
    finally:
        nodes.activate(PLAN)


def test_a_champion_reaches_every_node(nodes: SeveralMachines, key: str) -> None:
    version = nodes.publish("xgboost", 0.001 + secrets.randbelow(1000) / 1e6)

    def decides(machine: Machine) -> bool:
        votes = nodes.decide(machine, key)["variants"]
        return any(vote["version"] == version for vote in votes)

    took = seconds_to_reach(nodes, decides)
    print(f"a champion: {took}")
    assert max(took.values()) < WITHIN_S


def test_a_revoked_key_is_refused_by_every_node(nodes: SeveralMachines) -> None:
    key = nodes.key()
    for machine in nodes.nodes:
        nodes.decide(machine, key)
    key_id = key.split("_")[1]
    quorum(nodes.nodes[-1], "keys", "revoke", key_id, "--tenant", "default")

    def refused(machine: Machine) -> bool:
        with nodes.client(machine, key) as http:
            return http.post("/v1/decisions", json=fresh_payment()).status_code == 401

    took = seconds_to_reach(nodes, refused)
    print(f"a revocation: {took}")
    assert max(took.values()) < WITHIN_S


def test_a_limit_holds_over_all_nodes(nodes: SeveralMachines) -> None:
    """Sixty rows a minute of one customer, wherever they are sent."""
    key, customer = nodes.key(f"limited-{secrets.token_hex(3)}", tier="free"), "c-limited"
    statuses = []
    for _ in range(30):
        for machine in nodes.nodes:
            with nodes.client(machine, key) as http:
                body = fresh_payment(customer_id=customer)
                statuses.append(http.post("/v1/decisions", json=body).status_code)
    assert statuses.count(200) == 60
    assert statuses.count(429) == 30


def online(nodes: SeveralMachines, ids: list[str]) -> np.ndarray:
    """Features of recorded decisions, float32[n, N_FEATURES], in the order of the ids."""
    query = (
        "SELECT decision_id::text AS id, features FROM decisions"
        " WHERE decision_id = ANY($1::text[]::uuid[])"
    )
    eventually(lambda: len(nodes.fetch(query, ids)) == len(set(ids)))
    found = {row["id"]: bytes(row["features"]) for row in nodes.fetch(query, ids)}
    values = np.frombuffer(b"".join(found[i] for i in ids), dtype="<f4")
    return values.reshape(len(ids), N_FEATURES)


def offline(batch: TransactionBatch) -> np.ndarray:
    return np.concatenate([part.values for part in backfill([batch])])


def test_features_are_those_of_one_node(nodes: SeveralMachines) -> None:
    """A stream in turns over the nodes: each decision sees what the others have added."""
    tenant = f"turns-{secrets.token_hex(3)}"
    key, batch, ids = nodes.key(tenant), payments(600, 21, customers=5, tenant=tenant), []
    for start in range(0, len(batch), 12):
        rows = range(start, min(start + 12, len(batch)))
        with nodes.client(nodes.nodes[start // 12 % 3], key) as http:
            got = http.post(
                "/v1/decisions/batch", json={"transactions": [body_of(batch, i) for i in rows]}
            )
        assert got.status_code == 200, got.text
        ids += [result["decision_id"] for result in got.json()["results"]]
    assert online(nodes, ids).tobytes() == offline(batch).tobytes()


def test_payments_sent_at_once_to_all_nodes_are_counted_once(nodes: SeveralMachines) -> None:
    """Each payment goes to one node, some to all three, everything at the same time. Afterwards a
    payment of each customer sees every one of them once, to the bit."""
    tenant = f"at-once-{secrets.token_hex(3)}"
    key, batch = nodes.key(tenant), payments(300, 22, customers=5, tenant=tenant)
    distinct = {batch.transaction_id[i]: i for i in range(len(batch))}
    rows = sorted(distinct.values())
    sent = [(rows[n], nodes.nodes[n % 3]) for n in range(len(rows))]
    sent += [(row, machine) for row in rows[::5] for machine in nodes.nodes]

    async def pay() -> list[int]:
        async with httpx.AsyncClient(
            headers={"x-api-key": key},
            timeout=60,
            trust_env=False,
            limits=httpx.Limits(max_connections=48),
        ) as http:
            answers = await asyncio.gather(
                *(
                    http.post(f"http://{m.address}:8000/v1/decisions", json=body_of(batch, row))
                    for row, m in sent
                )
            )
        return [answer.status_code for answer in answers]

    assert set(asyncio.run(pay())) == {200}
    customers = sorted(set(batch.customer_id))
    probes = replace(
        payments(len(customers), 23, duplicate=0.0, tenant=tenant),
        transaction_id=[f"probe-{n}" for n in range(len(customers))],
        customer_id=customers,
    )
    last_ms = max(batch.timestamp_ms)
    probes = replace(probes, timestamp_ms=[last_ms + n for n in range(len(customers))])
    ids = []
    for n in range(len(probes)):
        with nodes.client(nodes.nodes[n % 3], key) as http:
            got = http.post("/v1/decisions", json=body_of(probes, n))
        assert got.status_code == 200, got.text
        ids.append(got.json()["decision_id"])
    whole = TransactionBatch.concat([batch, probes])
    assert online(nodes, ids).tobytes() == offline(whole)[-len(probes) :].tobytes()
