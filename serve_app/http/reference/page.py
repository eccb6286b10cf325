"""The two pages of the API reference: the guide, and the viewer of the OpenAPI document."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final

from serve_app.http.reference.guide import guide, prose, table
from serve_app.http.services import RequestLimits

Json = dict[str, Any]

GUIDE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the guide, which has no script."""

VIEWER_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the viewer. Swagger UI's style sheet has its icons as data:
URLs. It sets styles through the DOM, which needs no 'unsafe-inline'."""

_VIEWER_LINK = "/docs/api#/{tag}/{operation_id}"


def guide_page(document: Json, limits: RequestLimits) -> str:
    """Return the guide as a page.

    Args:
        document: from `serve_app.http.reference.openapi`.
        limits: limits of requests.
    """
    return _template("page.html").substitute(
        _heading(document),
        guide=guide(limits),
        operations=_operations(document),
    )


def viewer_page(document: Json) -> str:
    """Return the page that shows the OpenAPI document with Swagger UI."""
    return _template("viewer.html").substitute(_heading(document))


@cache
def _template(name: str) -> Template:
    return Template((files("serve_app.http.reference") / name).read_text(encoding="utf-8"))


def _heading(document: Json) -> dict[str, str]:
    return {key: escape(document["info"][key]) for key in ("title", "version")}


def _operations(document: Json) -> str:
    rows = (
        (_link(method, path, operation), prose(operation["summary"]))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    return table(("call", "what it does"), rows)


def _link(method: str, path: str, operation: Json) -> str:
    link = _VIEWER_LINK.format(tag=operation["tags"][0], operation_id=operation["operationId"])
    return f'<a href="{escape(link)}"><code>{method.upper()} {escape(path)}</code></a>'
