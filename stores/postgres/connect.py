"""Connections to PostgreSQL and pools of them: the only place where they are made."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypedDict, Unpack

import asyncpg

from fraud.errors import StoreUnavailable
from stores.postgres.errors import reveals_pooler, unreachable
from stores.postgres.session import Session
from stores.postgres.url import Address, address_of

TIMEOUT_S = 10.0
"""Longest wait for a connection, unless the caller or the address sets another."""
_NAME = "quorum"

_DEFAULT: list[tuple[str | None, int | None]] = [(None, None)]

_log = logging.getLogger(__name__)
_pooled: dict[Address, bool] = {}
"""Whether a pooler is in front of PostgreSQL, as far as this process has found out."""


class Options(TypedDict, total=False):
    """Keyword arguments of `connect`, for functions that pass them on."""

    variable: str
    timeout_s: float
    command_timeout_s: float | None
    name: str
    writes: bool


@asynccontextmanager
async def connection(url: str, **options: Unpack[Options]) -> AsyncIterator[Session]:
    """Open a connection, and close it at the end of the block.

    Args:
        url, options: see `connect`.

    Raises:
        SettingInvalid, StoreUnreachable: see `connect`.
    """
    session = await connect(url, **options)
    try:
        yield session
    finally:
        await session.end()


async def connect(
    url: str,
    *,
    variable: str = "DATABASE_URL",
    timeout_s: float = TIMEOUT_S,
    command_timeout_s: float | None = None,
    name: str = _NAME,
    writes: bool = True,
) -> Session:
    """Open a connection. Host names are looked up each time.

    Behind a pooler in transaction mode the connection prepares no statements. The first connection
    of a process finds out whether there is a pooler.

    Args:
        url: see `stores.postgres.url`.
        variable: the setting that holds `url`.
        timeout_s: longest wait for one host, unless the address has a `connect_timeout`.
        command_timeout_s: longest wait for the result of a statement; None: without end.
        name: shown in `pg_stat_activity`, unless the address has an `application_name`.
        writes: of several hosts, take one that accepts writes.

    Raises:
        SettingInvalid: the address cannot be used.
        StoreUnreachable: no connection; the message says why and what to do.
    """
    address = address_of(url, variable)
    limits = {"command_timeout": command_timeout_s}
    settings = {"application_name": name, **dict(address.server_settings)}
    pooled = address.pooled if address.pooled is not None else _pooled.get(address)
    try:
        if pooled is None:
            session = await _dial(address, timeout_s, writes, settings, limits, 0)
            pooled = _pooled[address] = await _is_pooled(session, timeout_s)
            if not pooled:
                await session.close(timeout=timeout_s)
                session = await _dial(address, timeout_s, writes, settings, limits, None)
        else:
            session = await _dial(
                address, timeout_s, writes, settings, limits, 0 if pooled else None
            )
    except Exception as error:
        known = None if isinstance(error, StoreUnavailable) else unreachable(error, address)
        if known is None:
            raise
        raise known from error
    session.pooled, session.writes = pooled, writes
    session.on_unfit(_note_pooler)
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
    """Return a pool of up to `size` connections, which are opened when they are needed: PostgreSQL
    need not be up yet. When a connection becomes unfit (`Session.unfit`), neither it nor any that
    was opened before is used again.

    Args:
        timeout_s: longest wait for a connection, and for the result of a statement.
        others: see `connect`.

    Raises:
        SettingInvalid: the address cannot be used.
    """
    address_of(url, variable)
    expiring: set[asyncio.Task[None]] = set()

    def expire(session: Session, error: BaseException | None) -> None:
        _note_pooler(session, error)
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
        session.on_unfit(expire)
        return session

    pool = asyncpg.create_pool(connect=dial, connection_class=Session, min_size=0, max_size=size)
    return await pool


async def _dial(
    address: Address,
    timeout_s: float,
    writes: bool,
    settings: dict[str, str],
    limits: dict[str, Any],
    statements: int | None,
) -> Session:
    """Return a connection to the first host that qualifies."""
    wait_s = address.connect_timeout_s or timeout_s
    arguments = {
        **address.tls.arguments(),
        **limits,
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
    """Return the values of `target_session_attrs`, one for each pass over the hosts."""
    wanted = address.session_attrs
    if wanted == "prefer-standby":
        return "standby", "any"
    if wanted is None and len(address.hosts) > 1 and writes:
        # Several hosts are a primary and its replicas, and replicas accept no writes.
        return ("read-write",)
    return (wanted,)


async def _is_pooled(session: Session, timeout_s: float) -> bool:
    """Return whether the process that answers is not the one that the connection began with."""
    found = await session.fetchval("SELECT pg_backend_pid()", timeout=timeout_s)
    pooled = bool(found != session.get_server_pid())
    if pooled:
        _log.info("a pooler is in front of PostgreSQL: prepared statements are off")
    return pooled


def _note_pooler(session: Session, error: BaseException | None) -> None:
    """Note that a pooler has been put in front of PostgreSQL since the process started."""
    if error is not None and reveals_pooler(error):
        for address in _pooled:
            _pooled[address] = True


def _set_options(session: Session, address: Address) -> None:
    """Set the TCP options of the address, as libpq does. Socket files have none."""
    connected = session.socket
    if connected is None or connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    if address.keepalive:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in address.socket_options:
        number = getattr(socket, name, None)
        if number is not None:  # Linux only
            connected.setsockopt(socket.IPPROTO_TCP, number, value)
