"""Processor time of processes, including those that have ended."""

from __future__ import annotations

import subprocess
import sys

import psutil

from loadtests.bench.cost import Meter, resident_mib, tree

_BURN = "import time\nuntil = time.process_time() + 0.3\nwhile time.process_time() < until: pass"


def test_work_of_children_that_have_ended_counts() -> None:
    meter = Meter(lambda: tree(psutil.Process()))
    meter.look()
    before = meter.read_s()
    subprocess.run([sys.executable, "-S", "-c", _BURN], check=True)
    meter.look()
    assert meter.read_s() - before >= 0.25


def test_a_process_that_is_gone_is_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    known = psutil.Process(process.pid)
    process.wait()
    assert resident_mib([known]) == 0.0
    assert tree(known) in ([], [known])


def test_memory_is_that_of_a_process() -> None:
    assert 5 < resident_mib([psutil.Process()]) < 10_000
