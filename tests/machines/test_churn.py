"""Machines come and go under load: nothing is lost, nothing counted twice."""

from __future__ import annotations

import os
import time

from tests.contracts.several_machines import SeveralMachines, eventually

MINUTES = float(os.environ.get("QUORUM_CHURN_MINUTES", "1"))
"""How long; `make churn` takes ten."""


def test_a_node_a_minute_joins_and_leaves(nodes: SeveralMachines, key: str) -> None:
    stay, comes_and_goes = nodes.nodes[:2], nodes.nodes[2]
    end_s = time.monotonic() + 60 * MINUTES
    rounds = 0
    with nodes.load(stay, key) as answers:
        while rounds == 0 or time.monotonic() < end_s:
            began_s = time.monotonic()
            if comes_and_goes in nodes.nodes:
                nodes.leave(comes_and_goes)
            nodes.settle()
            nodes.join(comes_and_goes)
            nodes.decide(comes_and_goes, key)
            nodes.settle()
            rounds += 1
            took_s = time.monotonic() - began_s
            lost = sum(len(seen.failures) for seen in answers)
            print(f"round {rounds}: {took_s:.0f} s; {lost} lost", flush=True)
            eventually(lambda at=began_s: time.monotonic() > min(at + 60, end_s), 120)
    sent = sum(seen.sent for seen in answers)
    print(f"{rounds} rounds: {sum(len(a.failures) for a in answers)} of {sent} lost, 0 doubled")
    assert [failure for seen in answers for failure in seen.failures] == []
