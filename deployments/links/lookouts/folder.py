"""Finds the replicas of this machine, by their sockets in a folder."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Set
from pathlib import Path

from deployments.links.link import Link
from deployments.links.names import SUFFIX, pool_of, socket_path
from deployments.links.peer import require_own_folder
from deployments.links.table import LinkTable

logger = logging.getLogger(__name__)


class FolderLookout:
    """Connects to the sockets that replicas put into a folder.

    Args:
        folder: where the sockets are.
        watched: pools that are in use; the caller may add to it.
        table: gets the links.
    """

    def __init__(self, folder: Path, watched: Set[str], table: LinkTable) -> None:
        self._folder = folder
        self._watched = watched
        self._table = table
        self._looking = asyncio.Lock()
        self._warned = False

    async def look(self) -> None:
        """Look once for new and ended replicas. Never raises."""
        # Two looks at the same time would connect twice.
        async with self._looking:
            await self._connect_to_new()
        self._table.drop_closed()

    async def _connect_to_new(self) -> None:
        try:
            require_own_folder(self._folder)
            names = os.listdir(self._folder)
        except PermissionError as error:
            self._warn(error)
            return
        except OSError:
            return
        for socket in names:
            name = socket.removesuffix(SUFFIX)
            if name != socket and pool_of(name) in self._watched and name not in self._table:
                await self._connect(socket_path(self._folder, name), name)

    async def _connect(self, path: Path, name: str) -> None:
        try:
            link = await Link.to(path)
        except ConnectionRefusedError:
            _remove(path)  # left by a replica that was killed
        except PermissionError as error:
            self._warn(error)
        except OSError as error:
            logger.debug("no link at %s: %s", name, type(error).__name__)
        else:
            self._table.add(name, link)

    def _warn(self, error: PermissionError) -> None:
        """Log once: it looks four times a second."""
        if not self._warned:
            self._warned = True
            logger.warning("no links: %s", error)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
