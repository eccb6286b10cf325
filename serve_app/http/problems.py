"""The one place where an error becomes application/problem+json (RFC 9457).

Type URIs are URNs: they name a kind of problem for good, wherever the service is reached.
"""

from __future__ import annotations

import logging
import math
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import UNSET

from fraud.errors import (
    InvalidInput,
    LogUnavailable,
    NotFound,
    Overloaded,
    RateLimited,
    StoreUnavailable,
    Unavailable,
)
from serve_app.gateway.errors import Conflict, Unauthenticated, unwrapped
from serve_app.http.wire.schemas import FieldErrorOut, ProblemOut

logger = logging.getLogger(__name__)

MEDIA_TYPE = b"application/problem+json"
URN = "urn:quorum:problem:"
RETRY_AFTER_UNAVAILABLE_S = 1.0
_CHALLENGE = ((b"www-authenticate", b'Bearer realm="quorum"'),)

Header = tuple[bytes, bytes]
Headers = tuple[Header, ...]

KINDS: dict[str, tuple[int, str]] = {
    "malformed-body": (400, "The body is not JSON"),
    "malformed-head": (400, "The head is not HTTP, or too large"),
    "unauthenticated": (401, "A valid API key is needed"),
    "not-found": (404, "There is no such thing here"),
    "method-not-allowed": (405, "This method is not supported here"),
    "timeout-reading-body": (408, "The body did not arrive in time"),
    "conflict": (409, "This contradicts what is on record"),
    "body-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body must be application/json"),
    "invalid-input": (422, "The request names a wrong field"),
    "rate-limited": (429, "More transactions than the key's tier allows"),
    "internal": (500, "The service made a mistake"),
    "overloaded": (503, "Too many requests are waiting"),
    "unavailable": (503, "A part that the answer needs does not answer"),
    "timeout": (503, "No decision within the time allowed"),
}
"""slug -> (status, title): every kind of problem that a client may see."""


class HttpProblem(Exception):
    """A problem that only HTTP knows: a wrong method, type, size, key.

    Args:
        slug: one of `KINDS`.
        detail: one sentence, without any value that the client sent.
        headers: further response headers, e.g. `allow`.
    """

    def __init__(self, slug: str, detail: str, headers: Headers = ()) -> None:
        super().__init__(slug, detail, headers)
        self.slug = slug
        self.detail = detail
        self.headers = headers


class MalformedBody(InvalidInput):
    """The body is no JSON at all: 400, where a wrong field is 422."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it goes out: status, document and response headers."""

    status: int
    document: ProblemOut
    headers: Headers = ()

    def body(self) -> bytes:
        """The document as UTF-8 JSON."""
        return msgspec.json.encode(self.document)


def problem_of(error: BaseException, request_id: str | None = None) -> Problem:
    """What a client is told about an error.

    Args:
        error: anything raised, also wrapped by Ray (its `.cause` is what counts).
        request_id: None inside of a batch, where the whole answer carries it.

    An error of no known kind is a 500 that says nothing of its message; where it was raised goes
    to the log, its message does not: it might quote what the client sent.
    """
    error = unwrapped(error)
    if isinstance(error, HttpProblem):
        return _problem(error.slug, error.detail, request_id, headers=error.headers)
    if isinstance(error, InvalidInput):
        slug = "malformed-body" if isinstance(error, MalformedBody) else "invalid-input"
        return _problem(slug, error.detail, request_id, errors=error.errors)
    if isinstance(error, Overloaded):
        return _problem(
            "overloaded", error.detail, request_id, headers=_retry_after(error.retry_after_s)
        )
    if isinstance(error, RateLimited):
        return _problem("rate-limited", _limit_detail(error), request_id, headers=_limited(error))
    if isinstance(error, TimeoutError):
        detail = "no decision was reached in time; retrying with the same transaction_id is safe"
        return _problem("timeout", detail, request_id, headers=_retry_after(1.0))
    if isinstance(error, Unavailable):
        return _problem(
            "unavailable",
            _unavailable_detail(error),
            request_id,
            headers=_retry_after(RETRY_AFTER_UNAVAILABLE_S),
        )
    if isinstance(error, Unauthenticated):
        detail = "send a valid API key as X-API-Key or as Authorization: Bearer"
        return _problem("unauthenticated", detail, request_id, headers=_CHALLENGE)
    if isinstance(error, Conflict):
        return _problem("conflict", error.detail, request_id)
    if isinstance(error, NotFound):
        return _problem("not-found", "there is no such thing, or not for this key", request_id)
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("request %s: %s\n%s", request_id, type(error).__qualname__, frames)
    return _problem("internal", "an unexpected error; the log names it by request_id", request_id)


def _problem(
    slug: str,
    detail: str,
    request_id: str | None,
    errors: Sequence[tuple[str, str, str]] = (),
    headers: Headers = (),
) -> Problem:
    status, title = KINDS[slug]
    document = ProblemOut(
        type=URN + slug,
        title=title,
        status=status,
        detail=detail,
        request_id=UNSET if request_id is None else request_id,
        errors=[FieldErrorOut(*e) for e in errors] if errors else UNSET,
    )
    return Problem(status, document, headers)


def _unavailable_detail(error: Unavailable) -> str:
    if isinstance(error, LogUnavailable):
        return "the decision could not be made durable, so none was given"
    if isinstance(error, StoreUnavailable):
        return "a store does not answer"
    return "a part that the answer needs does not answer"


def _limit_detail(error: RateLimited) -> str:
    whose = "customer" if error.limit == "customer" else "API key"
    seconds = "second" if error.window_s == 1 else f"{error.window_s} seconds"
    return (
        f"at most {error.rows} transactions of one {whose} are decided in any {seconds}; "
        f"this one will be after {max(1, math.ceil(error.wait_s))} s"
    )


def _limited(error: RateLimited) -> Headers:
    state = b'"%b";r=0;t=%d' % (error.limit.encode(), max(1, math.ceil(error.wait_s)))
    return (*_retry_after(error.wait_s), (b"ratelimit", state))


def _retry_after(seconds: float) -> Headers:
    # Whole seconds, rounded up: zero would invite an immediate retry.
    return ((b"retry-after", b"%d" % max(1, math.ceil(seconds))),)
