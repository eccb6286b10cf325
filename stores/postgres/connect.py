"""Connections to PostgreSQL and pools of them: the one place where they are made."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import asyncpg

from fraud.errors import StoreUnavailable
from stores.postgres.errors import shows_a_pooler, unreachable
from stores.postgres.session import Session
from stores.postgres.url import Address, address_of

TIMEOUT_S = 10.0
"""Longest wait for a connection, where neither the caller nor the address says another."""
_NAME = "quorum"

_DEFAULT: list[tuple[str | None, int | None]] = [(None, None)]

_log = logging.getLogger(__name__)
_pooled: dict[Address, bool] = {}
"""Whether a pooler stands in between, as this process found out."""


async def connect(
    url: str,
    *,
    variable: str = "DATABASE_URL",
    timeout_s: float = TIMEOUT_S,
    command_timeout_s: float | None = None,
    name: str = _NAME,
    writes: bool = True,
) -> Session:
    """A connection. Names are looked up anew each time.

    Behind a pooler in transaction mode it prepares no statements; whether there is one is found out
    with the first connection of a process.

    Args:
        url: see `stores.postgres.url`.
        variable: the setting that it comes from.
        timeout_s: longest wait for one of its hosts, unless it has a `connect_timeout`.
        command_timeout_s: longest wait for one answer; None: for ever.
        name: shown in `pg_stat_activity`, unless it has an `application_name`.
        writes: of several hosts, one is wanted that takes writes.

    Raises:
        SettingInvalid: the address cannot be used.
        StoreUnreachable: no connection; the message says why and what to do.
    """
    address = address_of(url, variable)
    how = {"command_timeout": command_timeout_s}
    settings = {"application_name": name, **dict(address.server_settings)}
    pooled = address.pooled if address.pooled is not None else _pooled.get(address)
    try:
        if pooled is None:
            session = await _dial(address, timeout_s, writes, settings, how, 0)
            pooled = _pooled[address] = await _is_pooled(session, timeout_s)
            if not pooled:
                await session.close(timeout=timeout_s)
                session = await _dial(address, timeout_s, writes, settings, how, None)
        else:
            session = await _dial(address, timeout_s, writes, settings, how, 0 if pooled else None)
    except Exception as error:
        known = None if isinstance(error, StoreUnavailable) else unreachable(error, address)
        if known is None:
            raise
        raise known from error
    session.pooled, session.writes = pooled, writes
    session.tell(_remember)
    return session


async def open_pool(
    url: str,
    *,
    size: int,
    timeout_s: float,
    variable: str = "DATABASE_URL",
    name: str = _NAME,
    writes: bool = True,
) -> asyncpg.Pool:
    """A pool of up to `size` connections, none of which is made before it is needed: PostgreSQL
    need not be up yet. One that has become unfit (`Session.unfit`) is not given out again, nor are
    those that were made before it was.

    Args:
        timeout_s: longest wait for a connection, and for one answer.
        others: see `connect`.

    Raises:
        SettingInvalid: the address cannot be used.
    """
    address_of(url, variable)
    expiring: set[asyncio.Task[None]] = set()

    def told(session: Session, error: BaseException | None) -> None:
        _remember(session, error)
        task = asyncio.get_running_loop().create_task(pool.expire_connections())
        expiring.add(task)
        task.add_done_callback(expiring.discard)

    async def dial(*_: Any, **__: Any) -> Session:
        session = await connect(
            url,
            variable=variable,
            timeout_s=timeout_s,
            command_timeout_s=timeout_s,
            name=name,
            writes=writes,
        )
        session.tell(told)
        return session

    pool = asyncpg.create_pool(connect=dial, connection_class=Session, min_size=0, max_size=size)
    return await pool


async def _dial(
    address: Address,
    timeout_s: float,
    writes: bool,
    settings: dict[str, str],
    how: dict[str, Any],
    statements: int | None,
) -> Session:
    """A connection to the first of the hosts that will do."""
    wait_s = address.connect_timeout_s or timeout_s
    arguments = {
        **address.tls.arguments(),
        **how,
        "user": address.user,
        "password": address.password,
        "passfile": address.passfile,
        "database": address.database,
        "server_settings": settings,
        "krbsrvname": address.krbsrvname,
        "gsslib": address.gsslib,
        "connection_class": Session,
    }
    if statements is not None:
        arguments["statement_cache_size"] = statements
    error: Exception | None = None
    for attrs in _passes(address, writes):
        for host, port in address.in_order() or _DEFAULT:
            try:
                async with asyncio.timeout(wait_s):
                    session = await asyncpg.connect(
                        host=host, port=port, target_session_attrs=attrs, timeout=None, **arguments
                    )
            except (OSError, TimeoutError, asyncpg.TargetServerAttributeNotMatched) as failed:
                error = failed
            except asyncpg.CannotConnectNowError as failed:
                error = failed
            else:
                _set_options(session, address)
                return session  # type: ignore[no-any-return]
    assert error is not None
    raise error


def _passes(address: Address, writes: bool) -> tuple[str | None, ...]:
    """Which hosts will do, at each go through them."""
    wanted = address.session_attrs
    if wanted == "prefer-standby":
        return "standby", "any"
    if wanted is None and len(address.hosts) > 1 and writes:
        # Whoever names several hosts has replicas among them, and these take no writes.
        return ("read-write",)
    return (wanted,)


async def _is_pooled(session: Session, timeout_s: float) -> bool:
    """Whether what answers is another process than the one that the connection began with."""
    found = await session.fetchval("SELECT pg_backend_pid()", timeout=timeout_s)
    pooled = bool(found != session.get_server_pid())
    if pooled:
        _log.info("a pooler is in front of PostgreSQL: no statement is prepared for later")
    return pooled


def _remember(session: Session, error: BaseException | None) -> None:
    """A pooler that was put in front since."""
    if error is not None and shows_a_pooler(error):
        for address in _pooled:
            _pooled[address] = True


def _set_options(session: Session, address: Address) -> None:
    """What TCP is told, as libpq does; a socket file knows none of it."""
    transport = getattr(session, "_transport", None)
    plug = None if transport is None else transport.get_extra_info("socket")
    if plug is None or plug.family not in (socket.AF_INET, socket.AF_INET6):
        return
    if address.keepalive:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in address.socket_options:
        number = getattr(socket, name, None)
        if number is not None:  # of Linux
            plug.setsockopt(socket.IPPROTO_TCP, number, value)
