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
    if not _is_host(host) or not given.isdecimal() or not 0 < int(given) < 65_536:
        raise CommandFailed(
            f"{address!r} is no address of a head node", "expected HOST or HOST:PORT", 2
        )
    return f"{host}:{given}"


def _is_host(host: str) -> bool:
    """Return whether a host can be a name, or is an IPv6 address in brackets."""
    try:
        if host.startswith("["):
            return bool(ip_address(host.removeprefix("[").removesuffix("]")))
        host.encode("idna")  # as a look-up does, which fails with an error that is no OSError
    except ValueError:
        return False
    return bool(host) and not set(host) & set("/:[] ")
