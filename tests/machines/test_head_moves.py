"""Another machine takes the place and the address of a head that is lost, with Ray's state in
Redis."""

from __future__ import annotations

import time

from tests.contracts.several_machines import eventually, several_machines


def test_another_machine_takes_the_heads_address() -> None:
    with several_machines(2, QUORUM_GCS="redis") as nodes:
        key, old, worker = nodes.key(), nodes.head, nodes.nodes[1]
        replicas = {p.pid for p in worker.processes("ServeReplica")}
        with nodes.load([worker], key) as [seen]:
            eventually(lambda: len(seen.decided) > 20)
            old.lose_power()
            nodes.nodes.remove(old)
            end_s = time.monotonic() + 20
            eventually(lambda: time.monotonic() > end_s)
            new = nodes.hub.machine("new", address=old.address)
            began_s = time.monotonic()
            nodes.up(new)
            nodes.settle()
            took_s = time.monotonic() - began_s
            sent = seen.sent
            eventually(lambda: seen.sent > sent + 60)
            print(
                f"another machine took the head's address: {len(seen.failures)} of {seen.sent}"
                f" lost; everything runs {took_s:.0f} s after `quorum up`"
            )
        assert seen.failures == []
        assert {p.pid for p in worker.processes("ServeReplica")} >= replicas
        assert nodes.decide(new, key)["degraded_reasons"] == []
