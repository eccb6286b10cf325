"""Which requests come from our own pages."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request

from serve_app.console.origin import is_own


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({}, False),
        ({"origin": "http://console.test"}, True),
        ({"origin": "https://console.test"}, True),
        ({"origin": "HTTPS://CONSOLE.TEST"}, True),
        ({"origin": "http://console.test:8001"}, False),
        ({"origin": "http://console.test.evil.example"}, False),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "null"}, False),
        ({"origin": "http://[evil"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "http://evil.example"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "http://console.test"}, False),
    ],
)
def test_origin(headers: dict[str, str], own: bool) -> None:
    raw: Any = [(n.encode(), v.encode()) for n, v in headers.items()]
    scope = {"type": "http", "headers": [*raw, (b"host", b"console.test")]}
    assert is_own(Request(scope)) is own


def test_a_request_without_host_is_not_ours() -> None:
    assert not is_own(Request({"type": "http", "headers": [(b"origin", b"http://")]}))
