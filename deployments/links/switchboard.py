"""All links of this process, to the sockets that replicas put into a folder."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from pathlib import Path

from deployments.links.link import Link
from deployments.links.peer import require_own_folder
from stores.poll import Poll

logger = logging.getLogger(__name__)

LOOK_S = 0.25
LONGEST_NAME = 48
"""Characters of a pool's name. With folder, replica and suffix it must stay below the 104 bytes
that the path of a socket may have."""
_SUFFIX = ".sock"


def socket_path(folder: Path, application: str, deployment: str, replica: str) -> Path:
    """Return the socket of a replica. Its name begins with that of the pool."""
    return folder / f"{pool_name(application, deployment)}~{replica}{_SUFFIX}"


def pool_name(application: str, deployment: str) -> str:
    """Return the name of a pool of replicas: a long one ends in a hash instead."""
    name = f"{application}~{deployment}"
    if len(name) <= LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{name[: LONGEST_NAME - 17]}-{digest}"


class Switchboard:
    """Links to every replica of the pools that are in use.

    Args:
        folder: where the sockets are; None: there are no links, which is not an error.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._watched: set[str] = set()
        self._links: dict[str, Link] = {}
        self._pools: dict[str, list[Link]] = {}
        self._poll = Poll("links", self.look, LOOK_S)
        self._looking = asyncio.Lock()
        self._warned = False

    async def watch(self, pool: str) -> None:
        """Keep links to all replicas of `pool` from now on."""
        if pool not in self._watched:
            self._watched.add(pool)
            await self.look()

    def best(self, pool: str) -> Link | None:
        """Return the open link of `pool` with the fewest rows in flight, None if there is none."""
        found: Link | None = None
        for link in self._pools.get(pool, ()):
            if link.open and (found is None or link.rows < found.rows):
                found = link
        return found

    def size(self, pool: str) -> int:
        """Return how many replicas of `pool` can be called."""
        return sum(link.open for link in self._pools.get(pool, ()))

    async def look(self) -> None:
        """Look once for new and ended replicas. Never raises."""
        if self._folder is None:
            return
        # Two looks at the same time would connect twice.
        async with self._looking:
            await self._connect_to_new(self._folder)
        for name in [name for name, link in self._links.items() if not link.open]:
            pool = name.rpartition("~")[0]
            self._pools[pool].remove(self._links.pop(name))

    async def start(self) -> None:
        """Go on looking until `close`."""
        if self._folder is not None:
            self._poll.start_later()

    @property
    def alive(self) -> bool:
        """Whether it still looks for replicas; True if there is no folder."""
        return self._folder is None or self._poll.alive

    async def close(self) -> None:
        """Stop looking and hang up."""
        await self._poll.close()
        for link in self._links.values():
            link.hang_up()

    async def _connect_to_new(self, folder: Path) -> None:
        try:
            require_own_folder(folder)
            names = os.listdir(folder)
        except PermissionError as error:
            self._warn(error)
            return
        except OSError:
            return
        for name in names:
            pool, _, replica = name.rpartition("~")
            if pool in self._watched and replica.endswith(_SUFFIX) and name not in self._links:
                await self._connect(folder / name, name, pool)

    async def _connect(self, path: Path, name: str, pool: str) -> None:
        try:
            link = await Link.to(path)
        except ConnectionRefusedError:
            _remove(path)  # left by a replica that was killed
        except PermissionError as error:
            self._warn(error)
        except OSError as error:
            logger.debug("no link at %s: %s", name, type(error).__name__)
        else:
            self._links[name] = link
            self._pools.setdefault(pool, []).append(link)

    def _warn(self, error: PermissionError) -> None:
        """Log once: it looks four times a second."""
        if not self._warned:
            self._warned = True
            logger.warning("no links: %s", error)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
