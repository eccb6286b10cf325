"""The address of a PostgreSQL: a URL or a line of keywords, with the parameters that libpq accepts.

    postgresql://user:password@host:port,host2:port2/database?name=value&...
    host=... port=... dbname=... user=... name=value

`postgres://` and a driver after the scheme (`postgresql+asyncpg://`) mean the same. A parameter is
used as libpq uses it, or named in the error: one that asks for protection that cannot be given
(`channel_binding=require`) is never ignored.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from fraud.errors import SettingInvalid
from stores import parameters
from stores.postgres.service import service_parameters
from stores.postgres.tls import Tls

DEFAULT_PORT = 5432
_SCHEME = re.compile(r"([a-z][a-z0-9]*)(?:\+[a-z0-9_]+)?://", re.IGNORECASE)
_KEYWORD = re.compile(
    r"\s*([a-z_]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)+))\s*", re.DOTALL
)
_SESSION_ATTRS = ("any", "read-write", "read-only", "primary", "standby", "prefer-standby")

_LIKE_A_URL = "it looks like postgresql://user:password@host:5432/database"

_ONLY: Mapping[str, tuple[tuple[str, ...], str]] = {
    "channel_binding": (
        ("disable", "prefer"),
        "the driver cannot bind a password to TLS: leave it out and use sslmode=verify-full",
    ),
    "gssencmode": (("disable", "prefer"), "use sslmode for encryption"),
    "gssdelegation": (("0",), "leave it out"),
    "replication": (("0", "false", "off", "no"), "leave it out"),
    "sslcompression": (("0",), "leave it out"),
    "sslcertmode": (("disable", "allow"), "leave it out: sslcert is sent if the server asks"),
    "sslsni": (("1",), "leave it out: the name is always sent"),
    "min_protocol_version": (("3.0",), "leave it out"),
    "max_protocol_version": (("3.0", "latest"), "leave it out"),
    "client_encoding": (("utf8", "utf-8", "unicode", "auto"), "leave it out: it is always UTF8"),
}
"""Parameters, their values that change nothing, and what to do about others."""

_CANNOT = {
    "require_auth": "leave it out and use sslmode=verify-full",
    "requirepeer": "leave it out",
    "sslcrldir": "name one file with sslcrl",
    "sslkeylogfile": "leave it out",
    "scram_client_key": "use password or passfile",
    "scram_server_key": "use password or passfile",
    "oauth_issuer": "use password or passfile",
    "oauth_client_id": "use password or passfile",
    "oauth_client_secret": "use password or passfile",
    "oauth_scope": "use password or passfile",
}
"""Parameters that are not supported, and what to do instead."""

_TLS = (
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslpassword", "sslcrl", "sslnegotiation"),
    *("ssl_min_protocol_version", "ssl_max_protocol_version", "requiressl", "ssl"),
)
_KEEPALIVES = {
    "keepalives_idle": "TCP_KEEPIDLE",
    "keepalives_interval": "TCP_KEEPINTVL",
    "keepalives_count": "TCP_KEEPCNT",
    "tcp_user_timeout": "TCP_USER_TIMEOUT",
}
_POOLERS = ("pgbouncer", "statement_cache_size", "prepared_statement_cache_size")
_OTHERS = (
    *("host", "hostaddr", "port", "dbname", "database", "user", "password", "passfile"),
    *("connect_timeout", "application_name", "fallback_application_name", "options"),
    *("target_session_attrs", "load_balance_hosts", "service", "servicefile", "keepalives"),
    *("krbsrvname", "gsslib"),
)
KNOWN = frozenset((*_ONLY, *_CANNOT, *_TLS, *_KEEPALIVES, *_POOLERS, *_OTHERS))
"""Every parameter of libpq, supported or not."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a PostgreSQL is, and how to connect.

    Attributes:
        variable: the setting that holds the address.
        hosts: host or folder of a socket, and port; () for those of the environment (PGHOST) or
            the driver.
        user, password, database: None for those of the environment or the driver.
        tls: see `Tls`.
        connect_timeout_s: longest wait for a connection to one host, None for the caller's.
        server_settings: of the session, as PostgreSQL names them.
        session_attrs: which of several hosts qualify, None if not given.
        passfile, krbsrvname, gsslib: passed to the driver.
        shuffled: hosts are tried in random order.
        socket_options: names of TCP options in `socket`, and their values.
        keepalive: whether TCP probes whether the other end is alive.
        pooled: whether a pooler in transaction mode is in front, None to find out.
    """

    variable: str
    hosts: tuple[tuple[str, int], ...] = ()
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str | None = None
    tls: Tls = field(default_factory=Tls)
    connect_timeout_s: float | None = None
    server_settings: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    session_attrs: str | None = None
    passfile: str | None = None
    krbsrvname: str | None = None
    gsslib: str | None = None
    shuffled: bool = False
    socket_options: tuple[tuple[str, int], ...] = ()
    keepalive: bool = True
    pooled: bool | None = None

    @property
    def place(self) -> str:
        """Hosts and ports for a message."""
        return ", ".join(f"{host}:{port}" for host, port in self.hosts) or "the default host"

    def in_order(self) -> list[tuple[str, int]]:
        """Return the hosts, in the order in which they are tried."""
        hosts = list(self.hosts)
        if self.shuffled:
            random.shuffle(hosts)
        return hosts


@lru_cache(maxsize=64)
def address_of(url: str, variable: str = "DATABASE_URL") -> Address:
    """Read an address.

    Args:
        url: the value of the setting `variable`.

    Raises:
        SettingInvalid: it cannot be read, or a parameter is not supported. The message holds
            neither the address nor a value.
    """
    given = _given(variable, url.strip())
    if "service" in given:
        given = {**service_parameters(variable, given), **given}
    for name in given:
        if name not in KNOWN:
            raise parameters.unknown_parameter(variable, name, KNOWN)
    _refuse(variable, given)
    settings = _server_settings(given)
    return Address(
        variable=variable,
        hosts=_hosts(variable, given),
        user=given.get("user") or None,
        password=given.get("password") or None,
        database=given.get("dbname") or given.get("database") or None,
        tls=Tls.of(variable, {name: given[name] for name in _TLS if name in given}),
        connect_timeout_s=_connect_timeout(variable, given),
        server_settings=tuple(settings.items()),
        session_attrs=_optional(variable, given, "target_session_attrs", _SESSION_ATTRS),
        passfile=given.get("passfile") or None,
        krbsrvname=given.get("krbsrvname"),
        gsslib=_optional(variable, given, "gsslib", ("gssapi", "sspi")),
        shuffled=_optional(variable, given, "load_balance_hosts", ("disable", "random"))
        == "random",
        socket_options=_socket_options(variable, given),
        keepalive=parameters.is_true(variable, "keepalives", given.get("keepalives", "1")),
        pooled=_pooled(variable, given),
    )


def _given(variable: str, text: str) -> dict[str, str]:
    """Return the parameters of an address of either form, by libpq's names."""
    if text[:1] in "'\"" and text:
        raise SettingInvalid(variable, "it has quotes around it", "remove them")
    found = _SCHEME.match(text)
    if found is None:
        return _keywords(variable, text)
    if found[1].lower() not in ("postgresql", "postgres"):
        raise SettingInvalid(variable, "it is not an address of PostgreSQL", _LIKE_A_URL)
    user, hosts, path, query = parameters.split_address(variable, text[found.end() :])
    given: dict[str, str] = {}
    if user is not None:
        name, colon, password = user.partition(":")
        given["user"] = unquote(name)
        if colon:
            given["password"] = unquote(password)
    given |= _host_list(variable, hosts)
    if path:
        given["dbname"] = unquote(path)
    return given | dict(parameters.pairs(variable, query))


def _host_list(variable: str, text: str) -> dict[str, str]:
    if not text:
        return {}
    hosts, ports = [], []
    for part in text.split(","):
        host, port = parameters.host_and_port(variable, part)
        hosts.append(host)
        ports.append(port)
    return (
        {"host": ",".join(hosts), "port": ",".join(ports)}
        if any(ports)
        else {"host": ",".join(hosts)}
    )


def _keywords(variable: str, text: str) -> dict[str, str]:
    """Return the parameters of `host=localhost dbname='my base'`."""
    given: dict[str, str] = {}
    at = 0
    while at < len(text):
        found = _KEYWORD.match(text, at)
        if found is None:
            raise SettingInvalid(variable, "it is not an address", _LIKE_A_URL)
        value = found[2] if found[2] is not None else found[3]
        given[found[1]] = re.sub(r"\\(.)", r"\1", value)
        at = found.end()
    if not given:
        raise SettingInvalid(variable, "it is empty", _LIKE_A_URL)
    return given


def _refuse(variable: str, given: Mapping[str, str]) -> None:
    """Refuse parameters that are not supported."""
    for name, hint in _CANNOT.items():
        if given.get(name):
            raise SettingInvalid(variable, f"{name} is not supported", hint)
    for name, (harmless, hint) in _ONLY.items():
        value = given.get(name, "").lower()
        if value and value not in harmless:
            shown = f"{name}=require" if value == "require" else f"this value of {name}"
            raise SettingInvalid(variable, f"{shown} is not supported", hint)


def _hosts(variable: str, given: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    names = given.get("host", "").split(",") if given.get("host") else []
    addresses = given.get("hostaddr", "").split(",") if given.get("hostaddr") else []
    if addresses and names and given.get("sslmode") == "verify-full":
        raise SettingInvalid(
            variable, "hostaddr does not go with sslmode=verify-full", "use host alone"
        )
    hosts = addresses or names
    ports = given.get("port", "").split(",")
    if not hosts:
        if not given.get("port"):
            return ()
        hosts = ["localhost"]
    if len(ports) not in (1, len(hosts)):
        raise SettingInvalid(
            variable, "there are not as many ports as hosts", "name one port, or one for each host"
        )
    each = ports if len(ports) == len(hosts) else ports * len(hosts)
    return tuple(
        (host or "localhost", parameters.port(variable, port, DEFAULT_PORT))
        for host, port in zip(hosts, each, strict=True)
    )


def _connect_timeout(variable: str, given: Mapping[str, str]) -> float | None:
    if not given.get("connect_timeout"):
        return None
    seconds = parameters.whole_number(
        variable, "connect_timeout", given["connect_timeout"], -(2**31), 2**31 - 1
    )
    # For libpq 0 means forever. Nothing here waits forever, so the caller's timeout applies.
    return float(seconds) if seconds > 0 else None


def _server_settings(given: Mapping[str, str]) -> dict[str, str]:
    settings = {}
    name = given.get("application_name") or given.get("fallback_application_name")
    if name:
        settings["application_name"] = name
    if given.get("options"):
        settings["options"] = given["options"]
    return settings


def _socket_options(variable: str, given: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    found = []
    for name, option in _KEEPALIVES.items():
        if given.get(name):
            value = parameters.whole_number(variable, name, given[name], 0, 2**31 - 1)
            if value:  # 0 means the system's default
                found.append((option, value))
    return tuple(found)


def _pooled(variable: str, given: Mapping[str, str]) -> bool | None:
    """Return whether a pooler in transaction mode is in front, by the parameters of
    other tools: `pgbouncer`, or a statement cache of size 0."""
    if given.get("pgbouncer"):
        return parameters.is_true(variable, "pgbouncer", given["pgbouncer"])
    sizes = [
        parameters.whole_number(variable, name, given[name], 0, 1_000_000)
        for name in _POOLERS[1:]
        if given.get(name)
    ]
    return True if 0 in sizes else None


def _optional(
    variable: str, given: Mapping[str, str], name: str, allowed: tuple[str, ...]
) -> str | None:
    value = given.get(name)
    return parameters.one_of(variable, name, value, allowed) if value else None
