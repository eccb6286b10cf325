"""Processor time by role."""

from __future__ import annotations

import time

import psutil

from loadtests.capacity.measure.usage import CLIENT, Usage, Watch


def test_usage_is_what_was_added() -> None:
    before = Usage({"Ingress": 1.0, "Redis": 2.0}, 10.0)
    after = Usage({"Ingress": 1.5, "Combiner": 0.25, "Redis": 0.0}, 14.0)
    assert after.since(before) == Usage({"Ingress": 0.5, "Combiner": 0.25, "Redis": 0.0}, 4.0)


def test_work_of_this_process_is_the_client_s_and_the_machine_s() -> None:
    watch = Watch(lambda: [psutil.Process()])
    watch.look()
    before, until = watch.read(), time.process_time() + 0.3
    while time.process_time() < until:
        pass
    used = watch.read().since(before)
    assert 0.25 <= used.by_role[CLIENT] < 2
    # The kernel's counters have hundredths of a second.
    assert used.machine_s >= used.by_role[CLIENT] - 0.1


def test_processes_of_no_role_do_not_count() -> None:
    watch = Watch(lambda: [psutil.Process()])
    watch.look()
    assert not watch.counts()
    assert set(watch.read().by_role) == {CLIENT}
