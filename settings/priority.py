"""The priority of a process that nobody waits for."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Final

NICE: Final = 19


def take_lowest_priority() -> None:
    """Give way to everything else on this machine: this thread, and those that it starts.

    On Linux also by policy: a thread of `SCHED_IDLE` leaves its processor the moment that another
    one wants it, and a processor that runs only such threads counts as idle. Of two threads that
    both have work, nice alone leaves the lower one 1.5 %, the policy 0.3 %.
    """
    os.nice(max(0, NICE - os.nice(0)))
    if hasattr(os, "SCHED_IDLE"):
        # Some sandboxes forbid it; then nice alone must do.
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
