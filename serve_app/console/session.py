"""Who is signed in: an API key in a cookie, and the tokens of forms that follow from it.

There is no store of sessions: the cookie holds the key itself, and every request has it checked.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from serve_app.gateway.auth import Principal

PATH: Final = "/console"
"""The cookie goes to the console alone, never to the API."""

LASTS_S: Final = 12 * 3600
"""How long a browser keeps the key. Revoking the key ends it everywhere within seconds."""

_PLAIN: Final = "quorum-key"
_SECURE: Final = "__Secure-quorum-key"
"""Over TLS. Browsers take a cookie of such a name from a TLS page only, so that a plain page of the
same host cannot plant one."""

_DOMAIN: Final = b"quorum console form\0"
"""Keeps tokens apart from the hashes of keys, which have the same secret."""


@dataclass(frozen=True, slots=True)
class Session:
    """One request of a signed-in user.

    Attributes:
        principal: the owner of the key.
        token: proof that a form came from our page; see `form_token`.
    """

    principal: Principal
    token: str


def form_token(pepper: str, key: str) -> str:
    """Return the token that every form of this key's pages carries: HMAC-SHA-256 in hex."""
    return hmac.digest(pepper.encode(), _DOMAIN + key.encode(), "sha256").hex()


def is_token(session: Session, given: str) -> bool:
    """Return whether a form carried the token of its sender, in constant time."""
    return hmac.compare_digest(session.token.encode(), given.encode())


def is_secure(request: Request) -> bool:
    """Return whether the browser used TLS.

    The edge says so by `X-Forwarded-Proto`. Anybody may send that header, but it only makes a
    sender's own cookie stricter, and no page of another site can add it to a browser's request.
    """
    forwarded = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return request.url.scheme == "https" or forwarded == "https"


def key_of(request: Request) -> str:
    """Return the API key in the cookie, "" if there is none."""
    return request.cookies.get(_name(request), "")


def keep_key(request: Request, response: Response, key: str) -> None:
    """Have the browser keep a key that was checked."""
    response.set_cookie(
        _name(request),
        key,
        max_age=LASTS_S,
        path=PATH,
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
    )


def forget_key(request: Request, response: Response) -> None:
    """Have the browser forget its key."""
    response.delete_cookie(
        _name(request), path=PATH, secure=is_secure(request), httponly=True, samesite="strict"
    )


def _name(request: Request) -> str:
    return _SECURE if is_secure(request) else _PLAIN
