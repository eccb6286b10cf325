"""Three nodes: each decides, by itself, and speaks for itself."""

from __future__ import annotations

import time

import httpx

from tests.contracts.machines import Machine
from tests.contracts.several_machines import (
    OWN_PORT,
    QUORUM,
    SeveralMachines,
    eventually,
    quorum,
    status,
)

_DECIDED = "fraud_decision_log_appended_rows_total"


def test_each_node_decides_with_its_own_replicas(nodes: SeveralMachines, key: str) -> None:
    """No call leaves the node: only its own decision log grows, only its variants score."""
    for machine in nodes.nodes:
        before = _counts(nodes)
        for _ in range(40):
            assert nodes.decide(machine, key)["degraded_reasons"] == []
        eventually(lambda at=machine, was=before: _grown(nodes, was)[at.name][0] >= 40, 10)
        grown = _grown(nodes, before)
        print(f"40 payments to {machine.name}: {grown}")
        assert grown.pop(machine.name) == (40, 80), "rows in the log, rows scored by two variants"
        assert all(there == (0, 0) for there in grown.values())


def _counts(nodes: SeveralMachines) -> dict[str, tuple[float, float]]:
    return {
        m.name: (nodes.metrics(m, _DECIDED), nodes.metrics(m, "fraud_variant_rows_total"))
        for m in nodes.nodes
    }


def _grown(
    nodes: SeveralMachines, before: dict[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    return {
        name: (rows - before[name][0], scored - before[name][1])
        for name, (rows, scored) in _counts(nodes).items()
    }


def test_a_client_on_the_node_reaches_it_too(nodes: SeveralMachines, key: str) -> None:
    machine = nodes.nodes[1]
    with machine.network():
        assert httpx.get(
            "http://127.0.0.1:8000/v2/health/ready", trust_env=False, timeout=10
        ).is_success
        assert nodes.decide(machine, key)["degraded_reasons"] == []


def test_the_own_port_has_metrics_and_health_only(nodes: SeveralMachines, key: str) -> None:
    for machine in nodes.nodes:
        own = httpx.Client(
            base_url=f"http://{machine.address}:{OWN_PORT}", trust_env=False, timeout=10
        )
        with own:
            for path in ("/metrics", "/v2/health/live", "/v2/health/ready"):
                assert own.get(path).status_code == 200, path
            for path in ("/v1/decisions", "/docs", "/"):
                assert own.get(path, headers={"x-api-key": key}).status_code == 404, path


def test_status_shows_every_node(nodes: SeveralMachines) -> None:
    for asked in (nodes.head, nodes.nodes[-1]):
        document = status(asked)
        shown = {node["host"]: node for node in document["nodes"]}
        assert {m.address for m in nodes.nodes} <= set(shown)
        text = quorum(asked, "status").stdout
        assert all(m.address in text for m in nodes.nodes)


def test_leave_under_load_and_join_again(nodes: SeveralMachines, key: str) -> None:
    """Nothing is dropped, not even by the node itself: it is "not ready" before it stops."""
    leaver = nodes.nodes[-1]
    with nodes.load(nodes.nodes[:2], key) as answers:
        eventually(lambda: all(len(seen.decided) > 20 for seen in answers))
        began_s = time.monotonic()
        nodes.leave(leaver)
        print(f"quorum leave: {time.monotonic() - began_s:.1f} s")
        assert _of_ray(leaver) == []
        assert list((leaver.home / "wal").glob("**/*.wal")) == [], "the log is shipped whole"
        nodes.settle()
        began_s = time.monotonic()
        nodes.join(leaver)
        joined_s = time.monotonic() - began_s
        first_s = joined_s + eventually(lambda: bool(nodes.decide(leaver, key)))
        print(f"quorum join: {joined_s:.1f} s; first decision there: {first_s:.1f} s")
        sent = sum(seen.sent for seen in answers)
        eventually(lambda: sum(seen.sent for seen in answers) > sent + 100)
    assert [seen.failures for seen in answers] == [[], []]


def test_the_leaving_node_is_not_ready_before_it_stops(nodes: SeveralMachines, key: str) -> None:
    leaver, seen = nodes.nodes[-1], []
    process = leaver.spawn([QUORUM, "leave"])
    with nodes.client(leaver, key, 5.0) as http:
        while process.starter.poll() is None:
            ready = nodes.ready(leaver)
            try:
                decided = http.get("/v2/health/live").status_code
            except httpx.HTTPError:
                decided = 0
            seen.append((ready, decided))
            time.sleep(0.2)
    nodes.nodes.remove(leaver)
    assert process.wait(60) == 0
    assert (False, 200) in seen, "a load balancer hears of it while the node still answers"


def _of_ray(machine: Machine) -> list[str]:
    names = (process.name() for process in machine.processes())
    return [name for name in names if name in ("raylet", "haproxy", "gcs_server")]


def test_a_node_that_runs_does_not_join_again(nodes: SeveralMachines) -> None:
    done = quorum(nodes.nodes[1], "join", nodes.head.address, ok=False)
    assert done.returncode == 1
    assert "runs already" in done.stderr
