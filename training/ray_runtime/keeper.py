"""A process that keeps a private Ray node while another process, the driver, lives.

`python -m training.ray_runtime.keeper FOLDER STORE_BYTES` starts the node from a fresh process,
because forking a driver that has threads and open gRPC connections is unsafe. It writes the node's
address to stdout as one line and waits until its stdin, a pipe from the driver, is closed. That
happens however the driver ends, SIGKILL included. Then the keeper kills every process of its
session, which is the whole node, and removes the folder.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

import psutil


def end_session(session: int, patience_s: float = 10.0) -> int:
    """Kill every other process of a session, including those started meanwhile.

    Processes are found by session, because parents change when a process dies and process groups
    when Ray changes them.

    Args:
        session: its id, which is the pid of the process that started it.

    Returns:
        The number of processes left after `patience_s` seconds; 0 unless the kernel holds them.
    """
    deadline = time.monotonic() + patience_s
    while left := list(_members(session)):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            return len(left)
        time.sleep(0.02)
    return 0


def _members(session: int) -> Iterator[int]:
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            ours = pid != os.getpid() and os.getsid(pid) == session
            if ours and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                yield pid


def _end(folder: str) -> None:
    end_session(os.getpid())
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)  # skips Ray's exit handlers, whose peers are gone


def _end_with_driver(folder: str) -> None:
    sys.stdin.read()
    _end(folder)


def main(folder: str, store_bytes: int) -> None:
    """Start the node, print its address, and wait."""
    os.umask(0o077)  # Ray's token is created here, if there is none yet
    # Listen on 127.0.0.1 only: the driver is on this machine.
    os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
    # Started before Ray: from here on nothing outlives the driver.
    threading.Thread(target=_end_with_driver, args=(folder,), daemon=True).start()
    import ray

    ray.init(
        address="local",
        num_cpus=max(2, os.cpu_count() or 1),
        num_gpus=0,
        include_dashboard=False,
        object_store_memory=store_bytes,
        logging_level=logging.ERROR,
        log_to_driver=False,
        _temp_dir=folder,
    )

    def stop(_: int, __: FrameType | None) -> None:
        _end(folder)

    signal.signal(signal.SIGTERM, stop)  # replaces Ray's handler, which leaves the folder
    print(ray.get_runtime_context().gcs_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
