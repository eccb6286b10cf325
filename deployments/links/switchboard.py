"""All links of this process."""

from __future__ import annotations

from pathlib import Path

from deployments.links.link import Link
from deployments.links.lookouts.folder import FolderLookout
from deployments.links.lookouts.registered import RegisteredLookout
from deployments.links.network.network import Network
from deployments.links.table import LinkTable
from stores.poll import Poll

LOOK_S = 0.25
LOOK_ELSEWHERE_S = 1.0
ENOUGH_ROWS = 512
"""Rows in flight at which a replica of this machine is overloaded: two of the largest micro-batches
by default. One that waits behind a whole one takes longer than the way to another machine, which
costs less than a millisecond."""


class Switchboard:
    """Links to every replica of the pools that are in use.

    Args:
        folder: where the sockets of this machine are; None: there are none, which is not an error.
        network: how other machines are reached; None: there are none.
        enough_rows: see `ENOUGH_ROWS`.
    """

    def __init__(
        self, folder: Path | None, network: Network | None = None, enough_rows: int = ENOUGH_ROWS
    ) -> None:
        self._enough_rows = enough_rows
        self._watched: set[str] = set()
        self._here, self._elsewhere = LinkTable(), LinkTable()
        self._pools = self._here.pools
        self._folder = None if folder is None else FolderLookout(folder, self._watched, self._here)
        self._registered = (
            None if network is None else RegisteredLookout(network, self._watched, self._elsewhere)
        )
        self._polls: list[Poll] = []
        if self._folder is not None:
            self._polls.append(Poll("links", self._folder.look, LOOK_S))
        if self._registered is not None:
            look = self._registered.look
            self._polls.append(Poll("links to other machines", look, LOOK_ELSEWHERE_S))

    async def watch(self, pool: str) -> None:
        """Keep links to all replicas of `pool` from now on. Returns when those of this machine are
        there."""
        if pool not in self._watched:
            self._watched.add(pool)
            if self._folder is not None:
                await self._folder.look()
            for poll in self._polls:
                poll.wake()

    def best(self, pool: str) -> Link | None:
        """Return the open link of `pool` that should get the next call, None if there is none.

        It is the one with the fewest rows in flight on this machine. If all there have enough of
        them, or if there is none, it is the one with the fewest on any machine.
        """
        found: Link | None = None
        for link in self._pools.get(pool, ()):
            if link.open and (found is None or link.rows < found.rows):
                found = link
        if found is not None and found.rows < self._enough_rows:
            return found
        for link in self._elsewhere.pools.get(pool, ()):
            if link.open and (found is None or link.rows < found.rows):
                found = link
        return found

    def nearest(self, pool: str) -> Link | None:
        """Return the open link of `pool` on this machine with the fewest rows in flight, None if
        there is none."""
        links = [link for link in self._pools.get(pool, ()) if link.open]
        return min(links, key=lambda link: link.rows, default=None)

    def size(self, pool: str) -> int:
        """Return how many replicas of `pool` get the calls of this process as a rule: those of this
        machine; those of other machines if there are none."""
        return self._here.size(pool) or self._elsewhere.size(pool)

    async def look(self) -> None:
        """Look once for new and ended replicas, on all machines.

        Raises:
            StoreUnavailable: the registry does not answer.
        """
        for lookout in (self._folder, self._registered):
            if lookout is not None:
                await lookout.look()

    async def start(self) -> None:
        """Go on looking until `close`."""
        for poll in self._polls:
            poll.start_later()

    @property
    def alive(self) -> bool:
        """Whether it still looks for replicas; True if there is nowhere to look."""
        return all(poll.alive for poll in self._polls)

    async def close(self) -> None:
        """Stop looking and hang up."""
        for poll in self._polls:
            await poll.close()
        if self._registered is not None:
            await self._registered.close()
        for table in (self._here, self._elsewhere):
            table.hang_up()
