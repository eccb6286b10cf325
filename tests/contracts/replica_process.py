"""A replica in a process of its own, which can be stopped as a machine without power is."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from deployments.links.registry.interface import Entry


class ReplicaProcess:
    """A process that listens at `REPLICAS_MACHINE` as the replica `name`; see `Replica`.

    Attributes:
        entry: where it listens.
    """

    def __init__(self, name: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.contracts.replica_process", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        name, address, port = self._process.stdout.readline().split()
        self.entry = Entry(name, address, int(port), "n2")

    def freeze(self) -> None:
        """Stop it: its sockets stay open, and nothing is answered any more."""
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


@contextmanager
def replica_process(name: str) -> Iterator[ReplicaProcess]:
    """A replica that is killed afterwards."""
    replica = ReplicaProcess(name)
    try:
        yield replica
    finally:
        replica.kill()


async def _serve(name: str) -> None:
    from tests.contracts.links import POOL, OtherMachine, Replica

    place, replica = OtherMachine(), Replica(name)
    await replica.open(place)
    entry = await place.entry(name)
    print(f"{POOL}~{name}", entry.address, entry.port, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
