"""Whether a request that changes something came from a page of ours."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request


def is_own(request: Request) -> bool:
    """Return whether the browser says that one of our own pages sent this request.

    Every browser sends `Origin` or `Sec-Fetch-Site` with a form; a request with neither is refused.
    Schemes are not compared: the edge ends TLS.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return site is not None
    try:
        return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower() != ""
    except ValueError:
        return False
