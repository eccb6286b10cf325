"""Processor sharing in simulated time."""

from __future__ import annotations

import pytest

from loadtests.capacity.simulation.engine import Clock, Machine, Process


def test_events_come_in_their_order() -> None:
    clock, seen = Clock(), []
    clock.at(2.0, lambda: seen.append("late"))
    clock.at(1.0, lambda: seen.append("first"))
    clock.at(1.0, lambda: seen.append("second"))
    clock.at(9.0, lambda: seen.append("never"))
    clock.run(5.0)
    assert seen == ["first", "second", "late"]
    assert clock.now_s == 5.0


def test_processes_share_the_processors_alike() -> None:
    clock, ended = Clock(), {}
    machine = Machine(clock, 2.0)
    for name, work_s in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
        machine.run(work_s, lambda name=name: ended.update({name: clock.now_s}))
    clock.run(10.0)
    # Three on two processors: two thirds of the speed until two of them end.
    assert ended["a"] == ended["b"] == pytest.approx(1.5)
    assert ended["c"] == pytest.approx(2.5)
    assert machine.busy_s == pytest.approx(4.0)


def test_who_comes_later_slows_the_others_from_then_on() -> None:
    clock, ended = Clock(), {}
    machine = Machine(clock, 1.0)
    machine.run(1.0, lambda: ended.update(first=clock.now_s))
    clock.at(0.5, lambda: machine.run(1.0, lambda: ended.update(second=clock.now_s)))
    clock.run(10.0)
    assert ended == {"first": pytest.approx(1.5), "second": pytest.approx(2.0)}


def test_a_process_uses_one_processor_and_does_one_thing_after_the_other() -> None:
    clock, ended = Clock(), []
    process = Process(Machine(clock, 8.0))
    for _ in range(3):
        process.do(1.0, lambda: ended.append(clock.now_s))
    assert process.waiting == 2
    clock.run(10.0)
    assert ended == [pytest.approx(1.0), pytest.approx(2.0), pytest.approx(3.0)]
    assert (process.most_waiting, process.busy_s) == (2, pytest.approx(3.0))


def test_the_queue_of_random_arrivals_is_as_long_as_the_formula_says() -> None:
    """M/D/1, Pollaczek and Khinchine: a wait of rho / (2 (1 - rho)) services."""
    import numpy as np

    clock, rng, waits = Clock(), np.random.default_rng(4), []
    process = Process(Machine(clock, 1.0))
    for at_s in np.cumsum(rng.exponential(1 / 0.8, 40_000)).tolist():

        def arrive(at_s: float = at_s) -> None:
            process.do(1.0, lambda: waits.append(clock.now_s - at_s - 1.0))

        clock.at(at_s, arrive)
    clock.run(1e9)
    assert np.mean(waits) == pytest.approx(0.8 / (2 * 0.2), rel=0.1)
