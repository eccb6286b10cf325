"""Finds the replicas of other machines in the registry."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Set

from deployments.links.link import Link
from deployments.links.names import pool_of
from deployments.links.network.network import Network
from deployments.links.network.proof import Nobody, Refused
from deployments.links.network.sparse_warning import SparseWarning
from deployments.links.registry.interface import Entry
from deployments.links.table import LinkTable

logger = logging.getLogger(__name__)


class RegisteredLookout:
    """Connects to the replicas that other machines announce.

    While the registry does not answer, or a replica is not in it for a moment, the links that there
    are stay: whether a replica is there is told by its pings alone.

    Args:
        network: of this machine.
        watched: pools that are in use; the caller may add to it.
        table: gets the links.
    """

    def __init__(self, network: Network, watched: Set[str], table: LinkTable) -> None:
        self._network = network
        self._registry = network.registry()
        self._watched = watched
        self._table = table
        self._connecting: dict[str, asyncio.Task[None]] = {}
        self._warn = SparseWarning(logger, "no link")

    async def look(self) -> None:
        """Look once for new and ended replicas. Returns before the new ones are connected: one of a
        machine that is gone answers nothing, and others should not wait for it.

        Raises:
            StoreUnavailable: the registry does not answer.
        """
        self._table.drop_closed()
        for entry in await self._registry.entries():
            if self._is_wanted(entry):
                task = asyncio.create_task(self._connect(entry))
                self._connecting[entry.name] = task

    async def close(self) -> None:
        """Connect to nothing more."""
        tasks = list(self._connecting.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._registry.close()

    def _is_wanted(self, entry: Entry) -> bool:
        return (
            entry.address != self._network.address  # those of this machine have sockets
            and pool_of(entry.name) in self._watched
            and entry.name not in self._table
            and entry.name not in self._connecting
        )

    async def _connect(self, entry: Entry) -> None:
        where = f"to {entry.address}:{entry.port}"
        try:
            link = await Link.over(self._network, entry)
        except Nobody:
            pass
        except (Refused, PermissionError) as error:
            self._warn(f"{where}: {error}")
        except OSError as error:
            logger.debug("no link %s: %s", where, type(error).__name__)
        else:
            self._table.add(entry.name, link)
        finally:
            self._connecting.pop(entry.name, None)
