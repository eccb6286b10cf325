"""Opens a connection with redis-py and takes over its socket.

The only module that depends on undocumented parts of redis-py: the stream reader and writer of
its connections. `tests/unit/stores/redis/test_dial.py` fails when a release changes them.
"""

from __future__ import annotations

import asyncio

from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from stores.redis.errors import unreachable
from stores.redis.url import Address


async def dial(address: Address, timeout_s: float) -> asyncio.StreamWriter:
    """Open a connection: TCP, TLS or a socket file, with password and database.

    Returns:
        Its writer, whose transport is the caller's from then on. Keep the writer for as long as
        the transport is used.

    Raises:
        StoreUnreachable: no connection; the message says why and what to do.
    """
    connection = address.kind(
        **address.arguments,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        async with asyncio.timeout(timeout_s):
            await connection.connect()
    except (RedisError, OSError, TimeoutError) as error:
        raise unreachable(error, address.variable, address.place) from error
    writer: asyncio.StreamWriter = connection._writer
    # Otherwise redis-py's object would close the transport when it is collected.
    connection._reader = connection._writer = None
    return writer
