"""Errors as pages in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from serve_app.console.answers import page
from serve_app.console.visit import ForeignForm
from serve_app.http.exchange import REQUEST_ID
from serve_app.http.problems import URN, problem_of

_WORDS: Final = {
    "unauthenticated": (
        "Please sign in again",
        "You are not signed in, or your key is no longer valid.",
    ),
    "insufficient-scope": (
        "Your key may not do this",
        "The console needs an API key with the scope “jobs”.",
    ),
    "not-found": (
        "There is nothing here",
        "This page or file does not exist, was removed, or belongs to somebody else.",
    ),
    "unavailable": (
        "Not available now",
        "A part of the system does not answer. Nothing is lost: try again in a moment.",
    ),
    "timeout": ("Not available now", "The answer took too long. Try again in a moment."),
    "overloaded": ("Too much to do now", ""),
    "too-many-jobs": ("Too many files at once", ""),
    "conflict": ("Not possible now", ""),
    "invalid-input": ("Something is not right yet", ""),
    "malformed-body": ("Something is not right yet", ""),
    "body-too-large": ("The file is too large", ""),
    "timeout-reading-body": ("The upload stopped", "The file did not arrive in time. Try again."),
    "internal": ("Something went wrong", "It is our fault, and it is noted."),
    "foreign-form": (
        "This form cannot be used any more",
        "It belongs to another sign-in. Go back to your files, and start anew.",
    ),
}
"""kind of a problem -> (title, what it means; "" for the detail of the problem itself)."""


_HEADERS: Final = (b"allow", b"retry-after")
"""Headers of a problem that its page has, too."""


@dataclass(frozen=True, slots=True)
class Told:
    """An error in plain words.

    Attributes:
        errors: one sentence for each wrong field.
    """

    status: int
    title: str
    detail: str
    errors: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    request_id: str


def plain(request: Request, error: Exception) -> Told:
    """Return an error in plain words; one of no known kind is logged."""
    request_id = request.scope.get(REQUEST_ID, "")
    if isinstance(error, ForeignForm):
        return Told(403, *_WORDS["foreign-form"], (), (), request_id)
    problem = problem_of(error, request_id)
    document = problem.document
    title, detail = _WORDS.get(document.type.removeprefix(URN), (document.title, ""))
    wrong = () if document.errors is UNSET else document.errors
    return Told(
        problem.status,
        title,
        detail or f"{document.detail.rstrip('.')}.",
        tuple(field.detail for field in wrong) if len(wrong) > 1 else (),
        tuple((n.decode(), v.decode()) for n, v in problem.headers if n in _HEADERS),
        request_id,
    )


def problem_page(request: Request, error: Exception) -> Response:
    """Return the page for an error."""
    told = plain(request, error)
    answer = page(
        "problem",
        told.status,
        title=told.title,
        detail=told.detail,
        errors=told.errors,
        request_id=told.request_id if told.status >= 500 else "",
    )
    for name, value in told.headers:
        answer.headers[name] = value
    return answer
