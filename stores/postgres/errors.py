"""The meaning of errors of PostgreSQL, and of the connection to it."""

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
    asyncpg.InternalClientError,  # the server ended the connection in the middle of a call
)
"""Errors of asyncpg, besides PostgreSQL's own, when PostgreSQL does not answer."""

# Mistakes in our own SQL are not among these: they must not pass as an outage.
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
"""PostgreSQL does not answer, or another server should be used."""

READ_ONLY = "SELECT current_setting('transaction_read_only')::bool"
"""Whether PostgreSQL accepts no writes, like a replica."""

_POOLED_STATES = frozenset({"26000", "42P05"})
_UNFIT_STATES = _POOLED_STATES | {
    *("25006", "25P03", "25P04", "28000", "28P01", "3D000"),
    *("57P01", "57P02", "57P03", "57P04", "57P05"),
}
_UNFIT_CLASS = "08"
_PGBOUNCER_PARAMETER = "unsupported startup parameter"


def is_unfit(error: BaseException) -> bool:
    """Return whether a connection with this error must not be used again: the server is going down,
    has become a replica, accepts no writes, or is not the one that the connection began with."""
    state = sqlstate(error)
    return state in _UNFIT_STATES or state.startswith(_UNFIT_CLASS)


def reveals_pooler(error: BaseException) -> bool:
    """Return whether a prepared statement was missing, or existed already: then the session behind
    the connection changes."""
    return sqlstate(error) in _POOLED_STATES


def sqlstate(error: BaseException) -> str:
    """Return the SQLSTATE of an error, "" if it has none."""
    return str(getattr(error, "sqlstate", None) or "")


def reason(error: BaseException) -> str:
    """Return a failure in words that may be logged. PostgreSQL's own can quote a row."""
    if isinstance(error, StoreUnavailable):
        return str(error)
    state = sqlstate(error)
    if state == "25006":
        return "PostgreSQL accepts no writes: it is a replica, or set to be read-only (25006)"
    return f"PostgreSQL: {type(error).__name__}{f' {state}' if state else ''}"


@asynccontextmanager
async def translate_outages() -> AsyncIterator[None]:
    """Raise StoreUnavailable where PostgreSQL does not answer."""
    try:
        yield
    except DOWN as error:
        raise StoreUnavailable(reason(error)) from error


def unreachable(error: BaseException, address: Address) -> StoreUnreachable | None:
    """Return the error to raise for a failed connection: what happened and what to do about the
    setting. None for a defect of our own."""
    explained = _explain(error, address)
    if explained is None:
        return None
    what, hint = explained
    return StoreUnreachable(f"PostgreSQL at {address.place}: {what}", address.variable, hint)


def _explain(error: BaseException, address: Address) -> tuple[str, str] | None:
    variable = address.variable
    state = sqlstate(error)
    if isinstance(error, asyncpg.PostgresError):
        words = str(error).splitlines()[0] if str(error) else type(error).__name__
        return _explain_state(state, words, address)
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message})",
            f"name the authority with sslrootcert in {variable}, and the certificate's host",
        )
    if isinstance(error, ssl.SSLError):
        return "TLS failed", f"check sslmode and the certificates in {variable}"
    if isinstance(error, socket.gaierror):
        return "the host name does not resolve", f"check the host in {variable}, or DNS"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses the connection", f"check host and port in {variable}, and that it is up"
    if isinstance(error, FileNotFoundError):
        return "there is no such socket", f"check host and port in {variable}, and that it is up"
    if isinstance(error, TimeoutError):
        return "it does not answer in time", f"check host and port in {variable}, and firewalls"
    if isinstance(error, ConnectionError) and "SSL" in str(error):
        return (
            "it does not offer TLS, or refuses it",
            f"check sslmode in {variable}: disable, prefer or require",
        )
    if isinstance(error, OSError):
        return _of_the_system(error), f"check host and port in {variable}, and that it is up"
    if isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        wanted = address.session_attrs or "read-write"
        return f"no host is {wanted}", f"check the hosts and target_session_attrs in {variable}"
    if isinstance(error, asyncpg.ClientConfigurationError):
        return "the driver does not accept these parameters", f"check {variable}"
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return (
            "it does not speak PostgreSQL's protocol",
            f"check that {variable} names a PostgreSQL",
        )
    return None


def _explain_state(state: str, words: str, address: Address) -> tuple[str, str]:
    variable = address.variable
    if state in ("28P01", "28000"):
        if "pg_hba" in words or "encryption" in words or "no encryption" in words:
            return (
                "it does not allow this way of connecting (pg_hba.conf)",
                f"try sslmode=require in {variable}, or allow this host, user and database",
            )
        return "it refuses user or password", f"check them in {variable}"
    if state == "3D000":
        # The name alone, without what follows a misplaced ? or #.
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
        return "the user may not connect to the database", "grant CONNECT on it"
    return words, f"check {variable}"


def _of_the_system(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
