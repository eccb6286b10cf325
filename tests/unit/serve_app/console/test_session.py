"""Cookies and tokens."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from serve_app.console.session import (
    Session,
    forget_key,
    form_token,
    is_secure,
    is_token,
    keep_key,
    key_of,
)
from serve_app.gateway.auth import Principal


def request(scheme: str = "http", **headers: str) -> Request:
    raw = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
    scope: dict[str, Any] = {"type": "http", "scheme": scheme, "path": "/", "headers": raw}
    return Request({**scope, "server": ("console.test", 80), "query_string": b""})


def test_a_token_depends_on_the_key_and_the_pepper() -> None:
    token = form_token("pepper", "key")
    assert token == form_token("pepper", "key")
    assert token not in {form_token("pepper", "other"), form_token("other", "key")}
    session = Session(Principal("id", "acme", "standard"), token)
    assert is_token(session, token)
    for wrong in ("", token[:-1], form_token("pepper", "other"), "é"):
        assert not is_token(session, wrong)


@pytest.mark.parametrize(
    ("seen", "secure"),
    [
        (request(), False),
        (request("https"), True),
        (request(x_forwarded_proto="https"), True),
        (request(x_forwarded_proto="HTTPS, http"), True),
        (request(x_forwarded_proto="http"), False),
        (request("https", x_forwarded_proto="http"), True),
    ],
)
def test_tls_is_noticed(seen: Request, secure: bool) -> None:
    assert is_secure(seen) is secure
    answer = Response()
    keep_key(seen, answer, "k")
    cookie = answer.headers["set-cookie"]
    assert ("; Secure" in cookie) is secure
    assert cookie.startswith("__Secure-quorum-key=k;" if secure else "quorum-key=k;")
    for part in ("HttpOnly", "SameSite=strict", "Path=/console", "Max-Age=43200"):
        assert part in cookie


def test_over_tls_a_plain_cookie_does_not_count() -> None:
    planted = {"cookie": "quorum-key=planted"}
    assert key_of(request(**planted)) == "planted"
    assert key_of(request("https", **planted)) == ""


def test_a_key_is_forgotten() -> None:
    answer = Response()
    forget_key(request(), answer)
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert "Path=/console" in answer.headers["set-cookie"]
