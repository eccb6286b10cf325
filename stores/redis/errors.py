"""The meaning of errors of Redis, and of the connection to it."""

from __future__ import annotations

import re
import socket
import ssl

from redis.exceptions import AuthenticationError, AuthorizationError, BusyLoadingError, RedisError

from fraud.errors import StoreUnavailable, StoreUnreachable

_NOT_SERVING = (
    "READONLY",  # has become a replica
    "MASTERDOWN",  # is a replica without its primary
    "LOADING",  # has been restarted
    "NOREPLICAS",  # is cut off from its replicas: one of them may be the primary now
    "MISCONF",  # cannot write to its disk
    "UNBLOCKED",  # became a replica during a blocking command
    "NOAUTH",  # does not know this connection any more
    "WRONGPASS",
    "CLUSTERDOWN",
    "MOVED",
    "ASK",
    "TRYAGAIN",
)
"""Error codes by which Redis refuses to serve. The command was not carried out."""

# Redis 6.2 wraps an error within a script: `ERR Error running script (...): ...: 1: -READONLY ...`
_IN_SCRIPT = re.compile(rf"[-\s](?:{'|'.join(_NOT_SERVING)})\s")
_CLOSED_WITH = ("ERR max number of clients reached",)


class Refused(StoreUnavailable):
    """Redis replied with an error; the message is its own."""

    @property
    def unknown_script(self) -> bool:
        """Whether Redis does not know the script."""
        return "NOSCRIPT" in str(self)


class NotServing(Refused):
    """Redis refuses to serve. Nothing was carried out: another server may get the same command."""


def is_not_serving(reply: str) -> bool:
    """Return whether the error that Redis replied with means that it refuses to serve."""
    if reply.startswith(_NOT_SERVING) or reply.startswith(_CLOSED_WITH):
        return True
    return reply.startswith("ERR Error running script") and _IN_SCRIPT.search(reply) is not None


def refusal(reply: str) -> Refused:
    """Return the exception for the error that Redis replied with."""
    text = f"Redis: {reply}"
    return NotServing(text) if is_not_serving(reply) else Refused(text)


def unreachable(error: BaseException, variable: str, place: str) -> StoreUnreachable:
    """Return the error for a failed connection: what happened, and what to do about the setting."""
    what, hint = _explain(_root(error), variable)
    return StoreUnreachable(f"Redis at {place}: {what}", variable, hint)


def _root(error: BaseException) -> BaseException:
    """Return the error that redis-py has wrapped, if it is more specific."""
    for below in (error.__cause__, error.__context__):
        if isinstance(below, OSError) and not isinstance(error, AuthenticationError):
            return below
    return error


def _explain(error: BaseException, variable: str) -> tuple[str, str]:
    text = str(error)
    if isinstance(error, AuthenticationError | AuthorizationError) or "NOAUTH" in text:
        return "it refuses user or password", f"check them in {variable}"
    if isinstance(error, BusyLoadingError):
        return "it is loading its data", "wait a moment"
    if "invalid DB index" in text or "DB index is out of range" in text:
        return "it has no such database", f"correct the number after the / in {variable}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted ({error.verify_message})",
            f"name the authority with ssl_ca_certs in {variable}",
        )
    if isinstance(error, ssl.SSLError):
        return "TLS failed", f"check rediss:// and the certificates in {variable}"
    if isinstance(error, socket.gaierror):
        return "the host name does not resolve", f"check the host in {variable}, or DNS"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses the connection", f"check host and port in {variable}, and that it is up"
    if isinstance(error, FileNotFoundError):
        return "there is no such socket or file", f"check the paths in {variable}"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return (
            "it does not answer in time",
            f"check {variable} (rediss:// only if it speaks TLS), and firewalls",
        )
    if isinstance(error, RedisError | OSError):
        return (
            "the connection was cut off or cannot be opened",
            f"check {variable} (rediss:// if it expects TLS), and that it is up",
        )
    return type(error).__name__, f"check {variable}"
