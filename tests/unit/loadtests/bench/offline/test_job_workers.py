from __future__ import annotations

import os

from loadtests.bench.offline.job_workers import MANY, memory_mib, nothing, report


def test_it_reports_milliseconds_of_each_part_of_a_warm_job() -> None:
    found = report(1.26, 2.0, MANY / 100, {"driver": 90})
    assert found == {
        "first_part_s": 1.3,
        "all_parts_s": 2.0,
        "warm_ms_a_part": 10.0,
        "memory_mib": {"driver": 90},
    }


def test_this_process_is_in_the_memory() -> None:
    assert memory_mib()["driver"] > 20


def test_a_part_does_no_work() -> None:
    assert nothing(os.getpid()) == os.getpid()
