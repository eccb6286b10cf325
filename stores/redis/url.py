"""The address of a Redis.

    redis://user:password@host:port/0      rediss:// with TLS
    unix:///path/to/redis.sock?db=0

`valkey://` and `valkeys://` mean the same. A parameter after the ? is used, or the error names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection

from fraud.errors import SettingInvalid
from stores import parameters

DEFAULT_PORT = 6379
_LIKE_A_URL = "it looks like redis://user:password@host:6379/0"
_TCP, _TLS, _UNIX = ("redis", "valkey"), ("rediss", "valkeys"), ("unix", "redis+unix")
_REFUSED = {
    "sentinel": "name one Redis, or a proxy in front of it: Sentinel is not supported",
    "cluster": "name one Redis: a script needs all of its keys in one place",
}
_CERT_REQS = ("none", "optional", "required")
_OURS = {
    **dict.fromkeys(
        ("socket_timeout", "socket_connect_timeout", "timeout", "retry_on_timeout"),
        "leave it out: QUORUM_REDIS_TIMEOUT_MS is the longest wait for Redis",
    ),
    **dict.fromkeys(
        ("max_connections", "health_check_interval", "socket_read_size", "legacy_responses"),
        "leave it out: each process keeps one connection",
    ),
    **dict.fromkeys(("decode_responses", "encoding"), "leave it out: values are binary"),
}
"""Parameters for other programs that would have no effect, and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a Redis is, and how to connect.

    Attributes:
        variable: the setting that holds the address.
        place: host and port, or path, for messages.
        kind: redis-py's class of connection.
        arguments: its arguments.
    """

    variable: str
    place: str
    kind: type[Any]
    arguments: Mapping[str, Any] = field(repr=False)


@lru_cache(maxsize=16)
def address_of(url: str, variable: str = "REDIS_URL") -> Address:
    """Read an address.

    Raises:
        SettingInvalid: it cannot be read, or a parameter is not supported. The message holds
            neither the address nor a value.
    """
    text = url.strip()
    if text[:1] in ("'", '"'):
        raise SettingInvalid(variable, "it has quotes around it", "remove them")
    scheme, colon, rest = text.partition("://")
    scheme = scheme.lower()
    if not colon:
        raise SettingInvalid(variable, "it does not begin with redis://", _LIKE_A_URL)
    for word, hint in _REFUSED.items():
        if word in scheme:
            raise SettingInvalid(variable, f"a Redis {word} is not supported", hint)
    if scheme not in (*_TCP, *_TLS, *_UNIX):
        raise SettingInvalid(variable, "it does not begin with redis://", _LIKE_A_URL)
    user, host, path, query = parameters.split_address(variable, rest)
    given = {**_login(user or ""), **dict(parameters.pairs(variable, query))}
    if scheme in _UNIX:
        return _socket(variable, host, path, given)
    return _network(variable, scheme in _TLS, host, path, given)


def _socket(variable: str, host: str, path: str, given: dict[str, str]) -> Address:
    if host or not path:
        raise SettingInvalid(
            variable, "unix:// has no path to a socket", "it looks like unix:///run/redis.sock?db=0"
        )
    place = f"/{unquote(path)}"
    arguments = {**_taken(variable, given, tls=False), "path": place}
    return Address(variable, place, UnixDomainSocketConnection, arguments)


def _network(variable: str, tls: bool, hosts: str, path: str, given: dict[str, str]) -> Address:
    for name in ("ssl", "tls"):
        if name in given:
            tls = parameters.is_true(variable, name, given.pop(name)) or tls
    if "," in hosts:
        raise SettingInvalid(variable, "it names several hosts", "name one Redis")
    host, number = parameters.host_and_port(variable, hosts)
    host, port = host or "localhost", parameters.port(variable, number, DEFAULT_PORT)
    path = unquote(path).strip("/")
    if path:
        base = str(
            parameters.whole_number(variable, "the database after the /", path, 0, 2**31 - 1)
        )
        if given.setdefault("db", base) != base:
            raise SettingInvalid(
                variable, "the database after the / is not that of db", "name it once"
            )
    arguments = {**_taken(variable, given, tls=tls), "host": host, "port": port}
    return Address(variable, f"{host}:{port}", SSLConnection if tls else Connection, arguments)


def _login(user: str) -> dict[str, str]:
    name, _, password = user.partition(":")
    login = {"username": unquote(name), "password": unquote(password)}
    return {key: value for key, value in login.items() if value}


def _taken(variable: str, given: Mapping[str, str], *, tls: bool) -> dict[str, Any]:
    taken: dict[str, Any] = {}
    for name, value in given.items():
        if name in _OURS:
            raise SettingInvalid(variable, f"{name} cannot be set here", _OURS[name])
        if name not in _KNOWN:
            raise parameters.unknown_parameter(variable, name, _KNOWN)
        if name.startswith("ssl_") and not tls:
            raise SettingInvalid(variable, f"{name} needs TLS", "begin with rediss://")
        read = _KNOWN[name](variable, name, value)
        if read is not None:
            taken[name] = read
    if tls and taken.get("ssl_cert_reqs") == "none":
        taken.setdefault("ssl_check_hostname", False)
    return taken


def _text(variable: str, name: str, value: str) -> str | None:
    return value or None


def _database(variable: str, name: str, value: str) -> int:
    return parameters.whole_number(variable, name, value, 0, 2**31 - 1)


def _cert_reqs(variable: str, name: str, value: str) -> str:
    # Python's names are accepted, too: CERT_NONE.
    return parameters.one_of(variable, name, value.lower().removeprefix("cert_"), _CERT_REQS)


def _protocol(variable: str, name: str, value: str) -> None:
    # Replies look the same to us in both.
    parameters.one_of(variable, name, value, ("2", "3"))


_KNOWN: Mapping[str, Callable[[str, str, str], Any]] = {
    "db": _database,
    "username": _text,
    "password": _text,
    "client_name": _text,
    "protocol": _protocol,
    "socket_keepalive": parameters.is_true,
    "ssl_cert_reqs": _cert_reqs,
    "ssl_ca_certs": _text,
    "ssl_ca_path": _text,
    "ssl_certfile": _text,
    "ssl_keyfile": _text,
    "ssl_password": _text,
    "ssl_check_hostname": parameters.is_true,
}
