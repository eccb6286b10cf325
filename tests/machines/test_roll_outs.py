"""Roll-outs and changes of size drop nothing at one, two and three nodes."""

from __future__ import annotations

import time

import pytest
import yaml

from tests.contracts.several_machines import SeveralMachines, eventually, quorum


@pytest.mark.parametrize("n", [3, 2, 1])
def test_a_roll_out(cluster: SeveralMachines, key: str, n: int) -> None:
    cluster.grow(min(3, max(n, len(cluster.nodes))))
    while len(cluster.nodes) > n:
        cluster.leave(cluster.nodes[-1])
    cluster.settle()
    document = yaml.safe_load(cluster.config.read_text())
    for application in document["applications"]:
        environment = application.setdefault("runtime_env", {}).setdefault("env_vars", {})
        environment["STAMP"] = str(time.time())
    config = cluster.hub.shared / "rolled_out.yaml"
    config.write_text(yaml.safe_dump(document))
    before = running(cluster)
    with cluster.load(cluster.nodes, key) as answers:
        eventually(lambda: all(len(seen.decided) > 10 for seen in answers))
        began_s = time.monotonic()
        quorum(cluster.head, "deploy", "--config", str(config))
        cluster.settle(180)
        print(f"a roll-out at {n} nodes: {time.monotonic() - began_s:.0f} s")
        assert not before & running(cluster), "every replica is a new one"
        sent = sum(seen.sent for seen in answers)
        eventually(lambda: sum(seen.sent for seen in answers) > sent + 40)
    assert [failure for seen in answers for failure in seen.failures] == []


def running(cluster: SeveralMachines) -> set[str]:
    """Ids of the replicas."""
    return {
        replica["replica_id"]
        for application in cluster.serve_details()["applications"].values()
        for deployment in application["deployments"].values()
        for replica in deployment["replicas"]
        if replica["state"] == "RUNNING"
    }
