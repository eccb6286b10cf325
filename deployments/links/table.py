"""Links by replica and by pool."""

from __future__ import annotations

from deployments.links.link import Link
from deployments.links.names import pool_of


class LinkTable:
    """The links to replicas in one place: on this machine, or on others.

    Attributes:
        pools: name of a pool -> its links, the closed ones too until `drop_closed`.
    """

    def __init__(self) -> None:
        self.pools: dict[str, list[Link]] = {}
        self._links: dict[str, Link] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._links

    def add(self, name: str, link: Link) -> None:
        """Add a link to the replica `name`, see `replica_name`."""
        self._links[name] = link
        self.pools.setdefault(pool_of(name), []).append(link)

    def drop_closed(self) -> None:
        """Forget links that are closed."""
        for name in [name for name, link in self._links.items() if not link.open]:
            self.pools[pool_of(name)].remove(self._links.pop(name))

    def size(self, pool: str) -> int:
        """Return how many replicas of a pool can be called."""
        return sum(link.open for link in self.pools.get(pool, ()))

    def hang_up(self) -> None:
        """Hang up all links."""
        for link in self._links.values():
            link.hang_up()
