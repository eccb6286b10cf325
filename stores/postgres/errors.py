"""What an error of PostgreSQL, or of the way to it, means."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from fraud.errors import StoreUnavailable, StoreUnreachable
from stores.postgres.url import Address

DISCONNECTED = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the server ended the connection in mid-call
)
"""What asyncpg raises, besides PostgreSQL's own errors, when PostgreSQL does not answer."""

# A mistake in our own SQL is not among these: it must be loud.
DOWN = (
    *DISCONNECTED,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.InvalidSQLStatementNameError,
    asyncpg.DuplicatePreparedStatementError,
)
"""PostgreSQL does not answer, or this one is not the one to ask."""

READ_ONLY = "SELECT current_setting('transaction_read_only')::bool"
"""Whether PostgreSQL takes no writes, as a replica does not."""

_POOLED_STATES = frozenset({"26000", "42P05"})
_UNFIT_STATES = _POOLED_STATES | {
    *("25006", "25P03", "25P04", "28000", "28P01", "3D000"),
    *("57P01", "57P02", "57P03", "57P04", "57P05"),
}
_UNFIT_CLASS = "08"
_PGBOUNCER_PARAMETER = "unsupported startup parameter"


def is_unfit(error: BaseException) -> bool:
    """Whether a connection that said this must not be asked again: the server is going, has become
    a replica, takes no writes, or is another one than the connection began with."""
    state = sqlstate(error)
    return state in _UNFIT_STATES or state.startswith(_UNFIT_CLASS)


def shows_a_pooler(error: BaseException) -> bool:
    """Whether a prepared statement was gone, or there before: the session behind the connection is
    not always the same one."""
    return sqlstate(error) in _POOLED_STATES


def sqlstate(error: BaseException) -> str:
    """Its SQLSTATE, "" if it has none."""
    return str(getattr(error, "sqlstate", None) or "")


def reason(error: BaseException) -> str:
    """What may be logged of a failure: PostgreSQL's own words can quote a row."""
    if isinstance(error, StoreUnavailable):
        return str(error)
    state = sqlstate(error)
    if state == "25006":
        return "PostgreSQL takes no writes: it is a replica, or is set to be read only (25006)"
    return f"PostgreSQL: {type(error).__name__}{f' {state}' if state else ''}"


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """PostgreSQL's silence as StoreUnavailable."""
    try:
        yield
    except DOWN as error:
        raise StoreUnavailable(reason(error)) from error


def unreachable(error: BaseException, address: Address) -> StoreUnreachable | None:
    """Why no connection was made, in words for whoever set the address; None for a defect of
    ours."""
    said = _said(error, address)
    if said is None:
        return None
    what, hint = said
    return StoreUnreachable(f"PostgreSQL at {address.place}: {what}", address.variable, hint)


def _said(error: BaseException, address: Address) -> tuple[str, str] | None:
    variable = address.variable
    state = sqlstate(error)
    if isinstance(error, asyncpg.PostgresError):
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        return _server_said(state, words, address)
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not believed ({error.verify_message})",
            f"name the authority with sslrootcert in {variable}, and the host as the certificate",
        )
    if isinstance(error, ssl.SSLError):
        return "TLS failed", f"check sslmode and the certificates in {variable}"
    if isinstance(error, socket.gaierror):
        return "the host's name is not known", f"check the host in {variable}, or DNS"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses the connection", f"check host and port in {variable}, and that it is up"
    if isinstance(error, FileNotFoundError):
        return "there is no such socket", f"check host and port in {variable}, and that it is up"
    if isinstance(error, TimeoutError):
        return "it does not answer in time", f"check host and port in {variable}, and firewalls"
    if isinstance(error, ConnectionError) and "SSL" in str(error):
        return (
            "it speaks no TLS here, or wants none",
            f"check sslmode in {variable}: disable, prefer or require",
        )
    if isinstance(error, OSError):
        return _of_the_system(error), f"check host and port in {variable}, and that it is up"
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        wanted = address.session_attrs or "read-write"
        return f"no host is {wanted}", f"check the hosts and target_session_attrs in {variable}"
    if isinstance(error, asyncpg.ClientConfigurationError):
        return "the driver does not take these parameters", f"check {variable}"
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return "it cannot be talked to", f"check that {variable} is of a PostgreSQL"
    return None


def _server_said(state: str, words: str, address: Address) -> tuple[str, str]:
    variable = address.variable
    if state in ("28P01", "28000"):
        if "pg_hba" in words or "encryption" in words or "no encryption" in words:
            return (
                "it lets nobody in this way (pg_hba.conf)",
                f"try sslmode=require in {variable}, or let this host, user and database in",
            )
        return "it refuses user or password", f"check them in {variable}"
    if state == "3D000":
        # The name alone: what a ? or # was meant to begin is not shown.
        begun = re.match(r"[\w./ -]*", address.database or "")
        shown = f" {begun[0]!r}" if begun and begun[0] else ""
        return f"there is no such database{shown}", f"create it, or correct its name in {variable}"
    if state == "53300":
        return "it has no connection left", "raise max_connections, or put PgBouncer in front"
    if state == "57P03":
        return "it is starting or stopping", "wait a moment"
    if _PGBOUNCER_PARAMETER in words:
        name = words.partition(":")[2].strip() or "a parameter"
        return (
            f"the pooler in front of it does not pass {name} on",
            f"leave it out of {variable}, or put it into ignore_startup_parameters of PgBouncer",
        )
    if state == "42501":
        return "the user may not come in", "grant CONNECT on the database"
    return words, f"check {variable}"


def _of_the_system(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
