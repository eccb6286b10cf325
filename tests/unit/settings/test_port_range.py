"""Ranges of ports, as settings hold them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from settings.port_range import Ports, port_range
from settings.settings import Settings


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("20000-20999", (20_000, 20_999)),
        (" 1024 - 10001 ", (1024, 10_001)),
        ("65535-65535", (65_535, 65_535)),
    ],
)
def test_a_range_is_read(text, ports):
    assert port_range(text) == ports
    assert port_range(str(Ports(*ports))) == ports


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("20000", "such as 20000-20999"),
        ("20000-", "such as"),
        ("a-b", "such as"),
        ("٢٠٠٠٠-20999", "such as"),
        ("80-90", "within 1024-65535"),
        ("20999-20000", "within"),
        ("65000-65536", "within"),
        ("9000-10002", "no port of 10002-19999"),
        ("19999-20100", "no port of"),
        ("1024-65535", "no port of"),
    ],
)
def test_other_ranges_are_refused(monkeypatch, text, reason):
    monkeypatch.setenv("QUORUM_LINK_PORTS", text)
    with pytest.raises(ValidationError, match=reason):
        Settings()


def test_the_setting_is_text(monkeypatch):
    assert Settings().link_ports == Ports(20_000, 20_999)
    monkeypatch.setenv("QUORUM_LINK_PORTS", "30000-30010")
    assert Settings().link_ports == (30_000, 30_010)
