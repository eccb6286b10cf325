"""Answers of the console: rendered pages, redirections, and the headers of all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serve_app.console.assets import assets
from serve_app.console.session import PATH
from serve_app.console.views import match_view, words

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
"""Content-Security-Policy of every answer: nothing inline, nothing from elsewhere."""

SECURITY_HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    # With `no-referrer`, browsers would send `Origin: null` with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
PRIVATE: Final = "no-store"
FOR_GOOD: Final = "public, max-age=31536000, immutable"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(root=PATH, asset=asset_url)
    environment.filters.update(
        count=words.count,
        percent=words.percent,
        score=words.score,
        size=words.size,
        moment=words.moment,
        state_word=words.state_word,
        state_sentence=words.state_sentence,
        heading=match_view.heading,
    )
    # Read with the code: an upgrade under a running replica must not mix the two.
    for name in environment.list_templates():
        environment.get_template(name)
    return environment


def asset_url(name: str) -> str:
    """Return the address of a file of `serve_app.console.assets`."""
    return f"{PATH}/static/{assets()[name].served}"


_pages = _environment()


def page(template: str, status: int = 200, **values: Any) -> Response:
    """Return a rendered page, which no cache keeps.

    Args:
        template: its name without the suffix.
    """
    values = {"session": None, "here": "", **values}
    html = _pages.get_template(f"{template}.html.j2").render(values)
    return HTMLResponse(html, status, {"cache-control": PRIVATE})


def go_to(path: str) -> Response:
    """Send the browser to another page of the console, by GET.

    Args:
        path: below the console's own.
    """
    return RedirectResponse(f"{PATH}{path}", 303, {"cache-control": PRIVATE})
