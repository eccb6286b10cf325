"""Addresses of Redis: parameters are accepted, or named in the error."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection

from fraud.errors import SettingInvalid
from stores.redis.url import address_of

SECRET = "hid_den7"
HOST = {"host": "h", "port": 6379}


@pytest.mark.parametrize(
    ("url", "kind", "arguments"),
    [
        ("redis://h", Connection, HOST),
        ("redis://h:6380/3", Connection, {"host": "h", "port": 6380, "db": 3}),
        ("redis://h/3?db=3", Connection, {**HOST, "db": 3}),
        ("redis://h?db=3", Connection, {**HOST, "db": 3}),
        ("redis://", Connection, {"host": "localhost", "port": 6379}),
        ("redis://:p@h", Connection, {**HOST, "password": "p"}),
        ("redis://u:p@h", Connection, {**HOST, "username": "u", "password": "p"}),
        (
            "redis://u:p%40%2F@h/1",
            Connection,
            {**HOST, "username": "u", "password": "p@/", "db": 1},
        ),
        ("redis://:p@ss@h", Connection, {**HOST, "password": "p@ss"}),
        ("redis://:p?q@h/1", Connection, {**HOST, "password": "p?q", "db": 1}),
        ("redis://:p#q@h/1", Connection, {**HOST, "password": "p#q", "db": 1}),
        ("redis://[::1]:6380", Connection, {"host": "::1", "port": 6380}),
        ("redis://h?username=u&password=p", Connection, {**HOST, "username": "u", "password": "p"}),
        ("valkey://h", Connection, HOST),
        ("  redis://h\n", Connection, HOST),
        ("redis://h?protocol=3&client_name=x", Connection, {**HOST, "client_name": "x"}),
        ("rediss://h", SSLConnection, HOST),
        ("valkeys://h", SSLConnection, HOST),
        ("redis://h?ssl=true", SSLConnection, HOST),
        (
            "rediss://h?ssl_cert_reqs=none",
            SSLConnection,
            {**HOST, "ssl_cert_reqs": "none", "ssl_check_hostname": False},
        ),
        (
            "rediss://h?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs=/ca",
            SSLConnection,
            {**HOST, "ssl_cert_reqs": "required", "ssl_ca_certs": "/ca"},
        ),
        ("unix:///run/r.sock", UnixDomainSocketConnection, {"path": "/run/r.sock"}),
        (
            "unix://u:p@/r?db=2",
            UnixDomainSocketConnection,
            {"path": "/r", "username": "u", "password": "p", "db": 2},
        ),
    ],
)
def test_forms(url: str, kind: type[Any], arguments: dict[str, Any]) -> None:
    found = address_of(url)
    assert found.kind is kind
    assert found.arguments == arguments
    kind(**found.arguments)  # it takes them


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("h:6379", "redis://"),
        (f":{SECRET}@h:6379", "redis://"),
        ("http://h", "redis://"),
        (f"'redis://:{SECRET}@h'", "quotes"),
        (f"redis+sentinel://:{SECRET}@h/mymaster", "sentinel"),
        ("sentinel://h", "sentinel"),
        ("redis-cluster://h", "cluster"),
        ("rediscluster://h", "cluster"),
        (f"redis://:{SECRET}@a:1,b:2", "hosts"),
        ("redis://h:port", "port"),
        ("redis://h:0", "port"),
        ("redis://h:65536", "port"),
        (f"redis://:{SECRET}/x@h", "%2F"),
        ("redis://h/name", "database"),
        ("redis://h/-1", "database"),
        ("redis://h/1?db=2", "db"),
        ("redis://h?db=x", "db"),
        ("redis://h?ssl_cert_reqs=none", "rediss://"),
        ("rediss://h?ssl_cert_reqs=maybe", "ssl_cert_reqs"),
        ("redis://h?socket_timeout=5", "QUORUM_REDIS_TIMEOUT_MS"),
        ("redis://h?socket_conect_timeout=5", "socket_conect_timeout"),
        ("redis://h?max_connections=5", "max_connections"),
        ("redis://h?clientname=5", "client_name"),
        ("redis://h?protocol=4", "protocol"),
        ("redis://h?db", "no value"),
        ("unix://run/r.sock", "unix:///"),
        ("unix://", "unix:///"),
        ("", "redis://"),
    ],
)
def test_an_unsupported_parameter_is_named(url: str, name: str) -> None:
    with pytest.raises(SettingInvalid) as refused:
        address_of(url)
    said = str(refused.value)
    assert said.startswith("REDIS_URL: ")
    assert name in said
    assert SECRET not in said


def test_an_address_does_not_show_its_password() -> None:
    found = address_of(f"redis://:{SECRET}@h:1/2")
    assert SECRET not in repr(found)
    assert found.place == "h:1"
