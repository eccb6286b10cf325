"""What a process is made into before it does units of work.

This module and its packages import nothing large: settings of threads must be there before numpy
is.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from typing import Final

NICE: Final = 19
"""The lowest priority: decisions on the same machine come first."""

UMASK: Final = 0o077

ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
"""Environment in which numeric libraries keep to one thread."""


def become_worker(nice: int = NICE) -> None:
    """Take the lowest priority and one thread, and keep files private."""
    os.umask(UMASK)
    os.environ.update(ONE_THREAD)
    os.nice(max(0, nice - os.nice(0)))


def begin(nice: int = NICE) -> None:
    """`become_worker` in a process that `multiprocessing` started; it ends with its parent, which
    alone hears Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    become_worker(nice)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
