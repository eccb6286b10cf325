"""Addresses of nodes."""

from __future__ import annotations

import pytest

from cluster.errors import CommandFailed
from cluster.node.addresses import in_url, reachable, with_port


@pytest.mark.parametrize(
    ("host", "part"), [("10.0.0.5", "10.0.0.5"), ("fd00::5", "[fd00::5]"), ("[::1]", "[::1]")]
)
def test_an_ipv6_address_has_brackets_in_a_url(host: str, part: str) -> None:
    assert in_url(host) == part


@pytest.mark.parametrize(
    ("listens_at", "at"),
    [("0.0.0.0", "127.0.0.1"), ("::", "::1"), ("10.0.0.5", "10.0.0.5"), ("fd00::5", "fd00::5")],
)
def test_what_listens_everywhere_is_reached_at_this_machine(listens_at: str, at: str) -> None:
    assert reachable(listens_at) == at


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.0.0.5", "10.0.0.5:6379"),
        (" 10.0.0.5:7000 ", "10.0.0.5:7000"),
        ("fd00::5", "[fd00::5]:6379"),
        ("[fd00::5]", "[fd00::5]:6379"),
        ("[fd00::5]:7000", "[fd00::5]:7000"),
        ("head.quorum.svc", "head.quorum.svc:6379"),
        ("head:1", "head:1"),
        ("head:65535", "head:65535"),
    ],
)
def test_a_port_is_added_where_there_is_none(address: str, expected: str) -> None:
    assert with_port(address, 6379) == expected
    assert with_port(expected, 1) == expected


@pytest.mark.parametrize(
    "address",
    [
        *("", ":7000", "head:", "head:0", "head:65536", "head:-1", "head:x"),
        *("http://head:7000", "head:7000/", "two words"),
        *("a:b:7000", "[head]:7000", "[]:7000", "a..b", f"{'x' * 64}:7000"),
    ],
)
def test_what_is_no_address_is_refused_as_wrong_usage(address: str) -> None:
    with pytest.raises(CommandFailed, match="is no address of a head node") as failure:
        with_port(address, 6379)
    assert failure.value.exit_code == 2
