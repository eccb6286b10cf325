"""Signing in with an API key, and out."""

from __future__ import annotations

import re
from typing import Final

from starlette.responses import Response

from serve_app.console.answers import go_to, page
from serve_app.console.session import forget_key, keep_key
from serve_app.console.visit import Visit
from serve_app.gateway.errors import InsufficientScope, Unauthenticated

_START: Final = "/score"
_RETURNS: Final = re.compile(r"/score(/[0-9a-f-]{36})?")
"""Pages to which signing in may lead back."""

WRONG: Final = "This key is not valid."
NO_SCOPE: Final = "This key may not score files: it needs the scope “jobs”."


async def ask(visit: Visit) -> Response:
    """Show the form."""
    return page("sign_in", fault="", next=_next(visit.request.query_params.get("next", "")))


async def sign_in(visit: Visit) -> Response:
    """Check a key and have the browser keep it. A wrong one is not repeated."""
    fields = await visit.form()
    key = fields.get("key", [""])[-1].strip()
    back = _next(fields.get("next", [""])[-1])
    try:
        principal = await visit.parts.authenticate(key)
        principal.require("jobs")
    except Unauthenticated:
        return page("sign_in", 401, fault=WRONG, next=back)
    except InsufficientScope:
        return page("sign_in", 403, fault=NO_SCOPE, next=back)
    answer = go_to(back)
    keep_key(visit.request, answer, key)
    return answer


async def sign_out(visit: Visit) -> Response:
    """Have the browser forget the key."""
    await visit.form()
    answer = go_to("/sign-in")
    forget_key(visit.request, answer)
    return answer


def is_return(path: str) -> bool:
    """Return whether signing in may lead to a path below the console's own."""
    return _RETURNS.fullmatch(path) is not None


def _next(path: str) -> str:
    return path if is_return(path) else _START
