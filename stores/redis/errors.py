"""What an error of Redis, or of the way to it, means."""

from __future__ import annotations

import re
import socket
import ssl

from redis.exceptions import AuthenticationError, AuthorizationError, BusyLoadingError, RedisError

from fraud.errors import StoreUnavailable, StoreUnreachable

_ELSEWHERE = (
    "READONLY",  # it has become a replica
    "MASTERDOWN",  # a replica without its primary
    "LOADING",  # it has been started again
    "NOREPLICAS",  # a primary that is cut off from its replicas: one of them may be the primary now
    "MISCONF",  # it cannot write to its disk
    "UNBLOCKED",  # it has become a replica while it was waited for
    "NOAUTH",  # it does not know us any more
    "WRONGPASS",
    "CLUSTERDOWN",
    "MOVED",
    "ASK",
    "TRYAGAIN",
)
"""Codes of answers by which Redis says that it is not the one to ask. Nothing was carried out."""

# Redis 6.2 wraps what a script met: `ERR Error running script (...): ...: 1: -READONLY ...`
_IN_SCRIPT = re.compile(rf"[-\s](?:{'|'.join(_ELSEWHERE)})\s")
_CLOSED_WITH = ("ERR max number of clients reached",)


class Refused(StoreUnavailable):
    """Redis answered with an error: the message is its own."""

    @property
    def unknown_script(self) -> bool:
        """Whether it does not know the script that it was to run."""
        return "NOSCRIPT" in str(self)


class Elsewhere(Refused):
    """Redis says that it is not the one to ask. Nothing was carried out: another one may be asked
    the same."""


def is_elsewhere(said: str) -> bool:
    """Whether the error that Redis answered with says that it is not the one to ask."""
    if said.startswith(_ELSEWHERE) or said.startswith(_CLOSED_WITH):
        return True
    return said.startswith("ERR Error running script") and _IN_SCRIPT.search(said) is not None


def refusal(said: str) -> Refused:
    """The error that Redis answered with, as ours."""
    text = f"Redis: {said}"
    return Elsewhere(text) if is_elsewhere(said) else Refused(text)


def unreachable(error: BaseException, variable: str, place: str) -> StoreUnreachable:
    """Why there is no connection, in words for whoever set the address."""
    what, hint = _said(_root(error), variable)
    return StoreUnreachable(f"Redis at {place}: {what}", variable, hint)


def _root(error: BaseException) -> BaseException:
    """What lies below what redis-py makes of it, where that says more."""
    for below in (error.__cause__, error.__context__):
        if isinstance(below, OSError) and not isinstance(error, AuthenticationError):
            return below
    return error


def _said(error: BaseException, variable: str) -> tuple[str, str]:
    text = str(error)
    if isinstance(error, AuthenticationError | AuthorizationError) or "NOAUTH" in text:
        return "it refuses user or password", f"check them in {variable}"
    if isinstance(error, BusyLoadingError):
        return "it is loading its data", "wait a moment"
    if "invalid DB index" in text or "DB index is out of range" in text:
        return "it has no such database", f"correct the number behind the / in {variable}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not believed ({error.verify_message})",
            f"name the authority with ssl_ca_certs in {variable}",
        )
    if isinstance(error, ssl.SSLError):
        return "TLS failed", f"check rediss:// and the certificates in {variable}"
    if isinstance(error, socket.gaierror):
        return "the host's name is not known", f"check the host in {variable}, or DNS"
    if isinstance(error, ConnectionRefusedError):
        return "it refuses the connection", f"check host and port in {variable}, and that it is up"
    if isinstance(error, FileNotFoundError):
        return "there is no such socket or file", f"check the paths in {variable}"
    if isinstance(error, TimeoutError) or "Timeout" in type(error).__name__:
        return (
            "it does not answer in time",
            f"check {variable} (rediss:// only where it speaks TLS), and firewalls",
        )
    if isinstance(error, RedisError | OSError):
        return (
            "the connection is cut off or cannot be made",
            f"check {variable} (rediss:// where it wants TLS), and that it is up",
        )
    return type(error).__name__, f"check {variable}"
