"""Simulations in a process of their own, one at a time on this node."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraud.errors import Overloaded, StoreUnavailable, Unavailable
from fraud.plan import Plan

LIMIT_S = 15.0
"""A simulation reads no further after this time."""
_PATIENCE_S = 10.0
"""What it may take beyond that, to start and to end; then it is killed."""
_NO_STORE = 3
"""Exit code of `python -m deciding.simulation`: PostgreSQL does not answer."""


@dataclass(frozen=True, slots=True)
class SimulationProcess:
    """Runs `python -m deciding.simulation`: decisions on this node must not wait for it.

    Attributes:
        folder: holds the lock by which one runs at a time, whichever process starts it.
        limit_s: see `deciding.simulation.run.simulate`.
    """

    folder: Path
    limit_s: float = LIMIT_S

    async def __call__(self, tenant: str, plan: Plan, last: int) -> dict[str, Any]:
        """Return `Result.to_document()` of a simulation.

        Raises:
            Overloaded: another one runs.
            StoreUnavailable: PostgreSQL does not answer.
            Unavailable: it took too long.
        """
        task = {
            "tenant": tenant,
            "plan": plan.to_document(),
            "last": last,
            "limit_s": self.limit_s,
        }
        lock = _locked(self.folder / "simulation.lock")
        process: subprocess.Popen[bytes] | None = None
        try:
            process = await asyncio.to_thread(_started, lock)
            async with asyncio.timeout(self.limit_s + _PATIENCE_S):
                code, said = await asyncio.to_thread(_ran, process, json.dumps(task))
        except TimeoutError:
            raise Unavailable("the simulation took too long") from None
        finally:
            if process is not None:
                process.kill()
            os.close(lock)
        if code == 0:
            found: dict[str, Any] = json.loads(said)
            return found
        if code == _NO_STORE:
            raise StoreUnavailable("PostgreSQL does not answer the simulation")
        raise RuntimeError(f"the simulation ended with exit code {code}")


def _locked(path: Path) -> int:
    """Return the open lock. It is let go of when it is closed here and the process has ended."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise Overloaded("another simulation runs on this node", retry_after_s=5.0) from None
    return lock


def _started(lock: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "deciding.simulation"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(lock,),
        # What this process can import, that one can.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _ran(process: subprocess.Popen[bytes], task: str) -> tuple[int, bytes]:
    """Return the exit code and the output. Its input stays open: it ends with us."""
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.write(f"{task}\n".encode())
        process.stdin.flush()
    said = process.stdout.read()
    code = process.wait()
    with suppress(BrokenPipeError):
        process.stdin.close()
    process.stdout.close()
    return code, said
