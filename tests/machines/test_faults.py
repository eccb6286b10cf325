"""The fault table: what three machines do when one is killed, cut off, or loses its power.

Each test prints its row. Payments come at 20 a second throughout.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Sequence

from tests.contracts.machines import Machine
from tests.contracts.several_machines import SeveralMachines, eventually, url_of
from tests.contracts.steady_load import Answers, Client, steady_load

RATE = 20.0
REQUEST_S = 2.0
"""The usual time-out of a request, of which tests have a longer one."""
HEAD_AWAY_S = 60.0
NO_MORE_AFTER_S = 5.0
"""After so long, no request goes to a machine that is silent."""


def pause(answers: Sequence[Answers], seconds: float) -> None:
    """Let the load run for a while."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        time.sleep(0.1)
    assert all(seen.sent for seen in answers)


def row(event: str, answers: Sequence[Answers], since_s: float) -> str:
    """Print and return a row of the table."""
    failures = [failure for seen in answers for failure in seen.failures]
    after = [took for seen in answers for sent_s, took in seen.took if sent_s > since_s - 1]
    text = (
        f"{event}: {len(failures)} of {sum(seen.sent for seen in answers)} lost;"
        f" slowest afterwards {max(after):.2f} s"
    )
    print(text, *failures[:5], sep="\n  ")
    return text


def slow(answers: Sequence[Answers], since_s: float, seconds: float) -> list[float]:
    """How long requests took that were sent after a moment and took longer than that."""
    return [took for seen in answers for at, took in seen.took if at > since_s and took > seconds]


def failures(answers: Sequence[Answers]) -> list[str]:
    return [failure for seen in answers for failure in seen.failures]


def wait_until_gone(nodes: SeveralMachines, machine: Machine) -> float:
    """Seconds until no replica is expected on a machine, and the others have full sets."""
    with without(nodes, machine):
        return eventually(lambda: nodes.unsettled() == "", 120, nodes.unsettled)


@contextlib.contextmanager
def without(nodes: SeveralMachines, machine: Machine):
    """Leave a machine out of what is expected."""
    before = list(nodes.nodes)
    nodes.nodes.remove(machine)
    try:
        yield
    finally:
        nodes.nodes[:] = before


def test_a_worker_is_killed(nodes: SeveralMachines, key: str) -> None:
    victim, alive = nodes.nodes[1], [nodes.nodes[0], nodes.nodes[2]]
    with nodes.load(alive, key, RATE) as answers:
        pause(answers, 3)
        at_s = time.monotonic()
        victim.kill_all()
        gone_s = wait_until_gone(nodes, victim)
        pause(answers, 5)
        row(f"a worker killed; the others are whole again after {gone_s:.0f} s", answers, at_s)
        assert failures(answers) == []
        nodes.grow(3)
        pause(answers, 2)
    assert failures(answers) == []


def test_a_replica_of_each_kind_is_killed_and_calls_go_to_other_nodes(
    nodes: SeveralMachines, key: str
) -> None:
    """While a node lacks a replica, its calls go to other machines."""
    for name in ("Combiner", "FeatureFetch", "Variant"):
        machine = nodes.nodes[1]
        with nodes.load([machine], key, RATE) as answers:
            pause(answers, 2)
            at_s = time.monotonic()
            victims = [p for p in machine.processes() if name in p.name()]
            assert victims, [p.name() for p in machine.processes()]
            for process in victims:
                process.kill()
            pause(answers, 8)
            row(f"{name} of a node killed", answers, at_s)
            # Those in flight in the killed process itself may be lost.
            assert len(failures(answers)) <= 2
        nodes.settle()


def test_a_worker_is_cut_off_silently(nodes: SeveralMachines, key: str) -> None:
    victim, alive = nodes.nodes[1], [nodes.nodes[0], nodes.nodes[2]]
    with nodes.load(alive, key, RATE) as answers:
        pause(answers, 3)
        at_s = time.monotonic()
        victim.cut()
        pause(answers, 45)
        row("a worker cut off silently", answers, at_s)
        late = slow(answers, at_s + NO_MORE_AFTER_S, REQUEST_S)
        gone_s = time.monotonic() - at_s + wait_until_gone(nodes, victim)
        print(f"  the others are whole without it after {gone_s:.0f} s; late: {late}")
        assert late == [], "no request is routed there any more"
        hit = slow(answers, at_s - REQUEST_S, REQUEST_S)
        assert len(hit) <= len(alive), "one for each connection to it"
        assert failures(answers) == []
        victim.mend()
        # Its Ray was declared dead meanwhile, and ends by itself.
        ended_s = eventually(lambda: victim.processes("raylet") == [], 60)
        print(f"  its raylet ended {ended_s:.0f} s after the cut was mended")
        pause(answers, 3)
    nodes.grow(3)


def test_the_head_is_killed_and_comes_back(nodes: SeveralMachines, key: str) -> None:
    head, workers = nodes.head, nodes.nodes[1:]
    raylets = {p.pid for worker in workers for p in worker.processes("raylet")}
    replicas = {p.pid for worker in workers for p in worker.processes("ServeReplica")}
    with nodes.load(workers, key, RATE) as answers:
        pause(answers, 3)
        at_s = time.monotonic()
        head.kill_all()
        pause(answers, HEAD_AWAY_S)
        row(f"the head killed for {HEAD_AWAY_S:.0f} s", answers, at_s)
        decided = [len(seen.decided) for seen in answers]
        pause(answers, 2)
        assert all(len(a.decided) > n for a, n in zip(answers, decided, strict=True))
        head.boot()
        began_s = time.monotonic()
        nodes.up(head)
        nodes.settle()
        back_s = time.monotonic() - began_s
        pause(answers, 3)
        row(f"the head is back; everything runs {back_s:.0f} s after it was started", answers, at_s)
    assert {p.pid for worker in workers for p in worker.processes("raylet")} == raylets
    kept = {p.pid for worker in workers for p in worker.processes("ServeReplica")} & replicas
    print(f"  {len(kept)} of {len(replicas)} replicas of workers ran throughout")
    assert kept == replicas
    assert len(failures(answers)) <= 2


def test_a_worker_loses_its_power_and_its_log_waits_on_its_disk(
    nodes: SeveralMachines, key: str
) -> None:
    """Every answered decision is on record once the machine is back."""
    victim = nodes.nodes[1]
    clients = [Client(key)]
    with steady_load(url_of(victim), clients, 60.0, f"power-{secrets.token_hex(4)}") as answers:
        pause(answers, 3)
        victim.lose_power()
        at_s = time.monotonic()
    nodes.grow(3)
    print(f"  back after {time.monotonic() - at_s:.0f} s")
    nodes.assert_recorded_once(answers)
