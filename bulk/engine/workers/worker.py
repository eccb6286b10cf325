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

from settings.priority import take_lowest_priority

UMASK: Final = 0o077

ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
"""Environment in which numeric libraries keep to one thread."""


def become_worker(*, gives_way: bool = True) -> None:
    """Take one thread, keep files private, and give way to decisions on the same machine."""
    os.umask(UMASK)
    os.environ.update(ONE_THREAD)
    if gives_way:
        take_lowest_priority()


def begin(gives_way: bool) -> None:
    """`become_worker` in a process that `multiprocessing` started; it ends with its parent, which
    alone hears Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    become_worker(gives_way=gives_way)
    threading.Thread(target=_end_with_parent, name="end-with-parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
