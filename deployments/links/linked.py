"""One method of a pool of replicas: over a link where there is one, else over Serve's handle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from deployments.links.link import LinkLost
from deployments.links.switchboard import Switchboard, pool_name
from deployments.remote import Remote


class Linked:
    """A method that may be called again if a replica dies under the call.

    Args:
        switchboard: this process' links.
        pool: name of the pool; see `switchboard.pool_name`.
        method: of the replicas; its first argument has a length, which is the number of rows.
        remote: the same method over Serve's handle.
    """

    def __init__(
        self,
        switchboard: Switchboard,
        pool: str,
        method: str,
        remote: Callable[..., Awaitable[Any]],
    ) -> None:
        self._switchboard = switchboard
        self._pool = pool
        self._method = method
        self._remote = remote

    @classmethod
    def on(cls, switchboard: Switchboard, handle: Any, method: str) -> Linked:
        """`method` of the deployment that `handle` is on."""
        pool = pool_name(handle.app_name, handle.deployment_name)
        return cls(switchboard, pool, method, Remote(handle, method))

    async def __call__(self, *arguments: Any) -> Any:
        """See `Link.ask`. A call that is lost is made once more, elsewhere."""
        link = self._switchboard.best(self._pool)
        if link is not None:
            try:
                return await link.ask(self._method, arguments, len(arguments[0]))
            except LinkLost:
                link = self._switchboard.best(self._pool)
                if link is not None:
                    return await link.ask(self._method, arguments, len(arguments[0]))
        return await self._remote(*arguments)
