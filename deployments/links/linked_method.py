"""One method of a pool of replicas: over a link where there is one, else over Serve's handle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from deployments.links.link import Link
from deployments.links.names import pool_name
from deployments.links.switchboard import Switchboard
from deployments.remote_method import RemoteMethod


class LinkedMethod:
    """A method that may be called again if a replica dies during the call.

    Args:
        choose: returns a link to a replica of a pool, None if there is none.
        pool: name of the pool; see `names.pool_name`.
        method: its name. The length of its first argument is the number of rows; a method without
            arguments carries none.
        remote: the same method over Serve's handle.
    """

    def __init__(
        self,
        choose: Callable[[str], Link | None],
        pool: str,
        method: str,
        remote: Callable[..., Awaitable[Any]],
    ) -> None:
        self._choose = choose
        self._pool = pool
        self._method = method
        self._remote = remote

    @classmethod
    def on(cls, switchboard: Switchboard, handle: Any, method: str) -> LinkedMethod:
        """Return `method` of the deployment of `handle`, on the replica that is best for it."""
        pool = pool_name(handle.app_name, handle.deployment_name)
        return cls(switchboard.best, pool, method, RemoteMethod(handle, method))

    @classmethod
    def on_this_machine(cls, switchboard: Switchboard, handle: Any, method: str) -> LinkedMethod:
        """Return `method` of the deployment of `handle`, on a replica of this machine while there
        is a link to one."""
        pool = pool_name(handle.app_name, handle.deployment_name)
        return cls(switchboard.nearest, pool, method, RemoteMethod(handle, method))

    def __call__(self, *arguments: Any) -> Awaitable[Any]:
        """See `Link.call`. If the replica ends during the call, another one is called, once."""
        link = self._choose(self._pool)
        if link is None:
            return self._remote(*arguments)
        retry = partial(self._retry, arguments)
        rows = len(arguments[0]) if arguments else 0
        return link.call(self._method, arguments, rows, retry)

    def _retry(self, arguments: tuple[Any, ...], future: asyncio.Future[Any]) -> None:
        link = self._choose(self._pool)
        second: asyncio.Future[Any]
        if link is None:
            second = asyncio.ensure_future(self._remote(*arguments))
        else:
            rows = len(arguments[0]) if arguments else 0
            second = link.call(self._method, arguments, rows)
        second.add_done_callback(partial(_copy_result, future))
        future.add_done_callback(lambda _: second.cancel())


def _copy_result(future: asyncio.Future[Any], second: asyncio.Future[Any]) -> None:
    """Complete `future` as `second` was, unless its caller has gone."""
    if second.cancelled():
        future.cancel()
        return
    error = second.exception()
    if future.done():
        return
    if error is None:
        future.set_result(second.result())
    else:
        future.set_exception(error)
