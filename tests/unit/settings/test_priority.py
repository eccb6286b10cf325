"""The lowest priority, in processes of their own: nobody gets a higher one back."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from settings.priority import NICE


def said(script: str) -> list[str]:
    """Return the words that a Python script prints."""
    command = [sys.executable, "-c", f"import os, threading\n{script}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


_TAKE = "from settings.priority import take_lowest_priority as take\n"
_TELL = "print(os.nice(0), os.sched_getscheduler(0))\n"
LOWEST = [str(NICE), str(os.SCHED_IDLE)]


@pytest.mark.parametrize("before", ["", "os.nice(5)\n", "os.nice(19)\n", "take()\n"])
def test_it_is_taken_from_any_other(before: str) -> None:
    assert said(f"{_TAKE}{before}take()\n{_TELL}") == LOWEST


def test_threads_and_processes_that_follow_have_it_too() -> None:
    thread = "t = threading.Thread(target=lambda: print(os.sched_getscheduler(0)))\n"
    child = "print(os.sched_getscheduler(0)) if os.fork() == 0 else os.wait()\n"
    assert said(f"{_TAKE}take()\n{thread}t.start(); t.join()\n") == [str(os.SCHED_IDLE)]
    assert said(f"{_TAKE}take()\n{child}") == [str(os.SCHED_IDLE)]


def test_where_the_policy_is_forbidden_nice_stays() -> None:
    forbid = "def no(*_): raise PermissionError\nos.sched_setscheduler = no\n"
    assert said(f"{forbid}{_TAKE}take()\n{_TELL}") == [str(NICE), str(os.SCHED_OTHER)]
