"""Addresses of nodes: as parts of URLs, with their ports."""

from __future__ import annotations

from ipaddress import ip_address

from cluster.errors import CommandFailed

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 — compared, not listened at


def in_url(host: str) -> str:
    """Return a host as a part of a URL.

    >>> in_url("10.0.0.5"), in_url("fd00::5")
    ('10.0.0.5', '[fd00::5]')
    """
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def reachable(listens_at: str) -> str:
    """Return the address at which a program of this machine reaches a server.

    >>> reachable("0.0.0.0"), reachable("10.0.0.5")
    ('127.0.0.1', '10.0.0.5')
    """
    return _ANYWHERE.get(listens_at, listens_at)


def with_port(address: str, port: int) -> str:
    """Return `host:port`; the port is `port` unless the address has one.

    Raises:
        CommandFailed: it is no address.

    >>> with_port("10.0.0.5", 6379), with_port("[fd00::5]:7000", 6379), with_port("a.b", 1)
    ('10.0.0.5:6379', '[fd00::5]:7000', 'a.b:1')
    """
    address = address.strip()
    try:
        return f"{in_url(str(ip_address(address.strip('[]'))))}:{port}"
    except ValueError:
        host, colon, given = address.rpartition(":")
    if not colon:
        host, given = address, str(port)
    if not host or not given.isdecimal() or not 0 < int(given) < 65_536 or "/" in host:
        raise CommandFailed(
            f"{address!r} is no address of a head node", "expected HOST or HOST:PORT", 2
        )
    return f"{host}:{given}"
