"""The one place where an error becomes application/problem+json (RFC 9457).

Type URIs are URNs: they name a kind of problem for good, whatever the address of the service.
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
    Conflict,
    InvalidInput,
    LogUnavailable,
    NotFound,
    Overloaded,
    RateLimited,
    StoreUnavailable,
    Unavailable,
)
from serve_app.gateway.errors import (
    InsufficientScope,
    MatchRefused,
    TooManyJobs,
    Unauthenticated,
    unwrapped,
)
from serve_app.http.wire.match_schemas import MatchOut, match_out
from serve_app.http.wire.schemas import FieldErrorOut, ProblemOut

logger = logging.getLogger(__name__)

MEDIA_TYPE = b"application/problem+json"
URN = "urn:quorum:problem:"
RETRY_AFTER_UNAVAILABLE_S = 1.0
_SHOWN_REASONS = 3
_CHALLENGE = ((b"www-authenticate", b'Bearer realm="quorum"'),)

Header = tuple[bytes, bytes]
Headers = tuple[Header, ...]

KINDS: dict[str, tuple[int, str]] = {
    "malformed-body": (400, "The body is not valid JSON"),
    "malformed-form": (400, "The body is not a valid form"),
    "malformed-head": (400, "The request head is not valid HTTP, or too large"),
    "unauthenticated": (401, "A valid API key is required"),
    "insufficient-scope": (403, "The API key lacks the scope for this call"),
    "not-found": (404, "Not found"),
    "method-not-allowed": (405, "This path does not support this method"),
    "not-acceptable": (406, "There is nothing in a format that the client accepts"),
    "timeout-reading-body": (408, "The body did not arrive in time"),
    "conflict": (409, "The request contradicts what is on record"),
    "body-too-large": (413, "The body is too large"),
    "unsupported-media-type": (415, "The body has a media type that is not supported"),
    "range-not-satisfiable": (416, "The file has no such range"),
    "invalid-input": (422, "The request has an invalid field"),
    "match-refused": (422, "No reference model fits the file"),
    "too-many-jobs": (429, "Too many jobs that have not ended"),
    "rate-limited": (429, "More transactions than the key's tier allows"),
    "internal": (500, "Internal error"),
    "overloaded": (503, "Too many requests are waiting"),
    "unavailable": (503, "A required part of the service does not answer"),
    "timeout": (503, "No decision in time"),
}
"""slug -> (status, title): every kind of problem that a client may see."""


class HttpProblem(Exception):
    """A problem of HTTP itself: a wrong method, media type or size.

    Args:
        slug: one of `KINDS`.
        detail: one sentence, without any value from the client.
        headers: further response headers, e.g. `allow`.
    """

    def __init__(self, slug: str, detail: str, headers: Headers = ()) -> None:
        super().__init__(slug, detail, headers)
        self.slug = slug
        self.detail = detail
        self.headers = headers


class MalformedBody(InvalidInput):
    """The body is not JSON: 400, where a wrong field is 422."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as it is sent: status, document and response headers."""

    status: int
    document: ProblemOut
    headers: Headers = ()

    def body(self) -> bytes:
        """Return the document as UTF-8 JSON."""
        return msgspec.json.encode(self.document)


def problem_of(error: BaseException, request_id: str | None = None) -> Problem:
    """Return the problem that a client gets for an error.

    Args:
        error: any exception, perhaps wrapped by Ray.
        request_id: None: the document has none.

    An error of no known kind is a 500 that does not repeat its message. The log gets the traceback
    but not the message either: it might quote what the client sent.
    """
    error = unwrapped(error)
    if isinstance(error, HttpProblem):
        return _problem(error.slug, error.detail, request_id, headers=error.headers)
    if isinstance(error, InvalidInput):
        slug = "malformed-body" if isinstance(error, MalformedBody) else "invalid-input"
        return _problem(slug, _input_detail(error), request_id, errors=error.errors)
    if isinstance(error, Overloaded):
        return _problem(
            "overloaded", error.detail, request_id, headers=_retry_after(error.retry_after_s)
        )
    if isinstance(error, MatchRefused):
        detail = _refusal(error)
        return _problem("match-refused", detail, request_id, match=match_out(error.match))
    if isinstance(error, TooManyJobs):
        detail = f"{error.most} jobs have not ended: wait for one, or cancel one"
        headers = _retry_after(error.retry_after_s)
        return _problem("too-many-jobs", detail, request_id, headers=headers)
    if isinstance(error, RateLimited):
        return _problem("rate-limited", _limit_detail(error), request_id, headers=_limited(error))
    if isinstance(error, TimeoutError):
        detail = "No decision in time; it is safe to retry with the same `transaction_id`"
        return _problem("timeout", detail, request_id, headers=_retry_after(1.0))
    if isinstance(error, Unavailable):
        return _problem(
            "unavailable",
            _unavailable_detail(error),
            request_id,
            headers=_retry_after(RETRY_AFTER_UNAVAILABLE_S),
        )
    if isinstance(error, Unauthenticated):
        detail = "Send a valid API key as `X-API-Key` or as `Authorization: Bearer`"
        return _problem("unauthenticated", detail, request_id, headers=_CHALLENGE)
    if isinstance(error, InsufficientScope):
        return _problem(
            "insufficient-scope",
            f"This call needs an API key with the scope `{error.scope}`",
            request_id,
            headers=_scope_challenge(error.scope),
        )
    if isinstance(error, Conflict):
        return _problem("conflict", error.detail, request_id)
    if isinstance(error, NotFound):
        return _problem("not-found", "Not found, or not visible to this API key", request_id)
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("request %s: %s\n%s", request_id, type(error).__qualname__, frames)
    return _problem("internal", "Unexpected error; it is logged under `request_id`", request_id)


def _problem(
    slug: str,
    detail: str,
    request_id: str | None,
    errors: Sequence[tuple[str, str, str]] = (),
    headers: Headers = (),
    match: MatchOut | None = None,
) -> Problem:
    status, title = KINDS[slug]
    document = ProblemOut(
        type=URN + slug,
        title=title,
        status=status,
        # Details of our own errors are written for logs, in lower case.
        detail=detail[:1].upper() + detail[1:],
        request_id=UNSET if request_id is None else request_id,
        errors=[FieldErrorOut(*e) for e in errors] if errors else UNSET,
        match=UNSET if match is None else match,
    )
    return Problem(status, document, headers)


def _input_detail(error: InvalidInput) -> str:
    """Return the first fault and the number of the others, so that the detail alone helps."""
    if not error.errors:
        return error.detail
    _, _, first = error.errors[0]
    more = len(error.errors) - 1
    return f"{first}; and {more} more in `errors`" if more else first


def _refusal(error: MatchRefused) -> str:
    """Return the reasons for the whole file, else those of the best match."""
    best = next(iter(error.match.models), None)
    reasons = error.match.reasons or (() if best is None else best.reasons)
    return " ".join(reason.detail for reason in reasons[:_SHOWN_REASONS]) or str(error)


def _unavailable_detail(error: Unavailable) -> str:
    if isinstance(error, LogUnavailable):
        return "The decision could not be made durable, so none was given"
    if isinstance(error, StoreUnavailable):
        return "A data store does not answer"
    return "A required part of the service does not answer"


def _scope_challenge(scope: str) -> Headers:
    """As RFC 6750, section 3.1, has it."""
    challenge = f'Bearer realm="quorum", error="insufficient_scope", scope="{scope}"'
    return ((b"www-authenticate", challenge.encode()),)


def _limit_detail(error: RateLimited) -> str:
    whose = "customer" if error.limit == "customer" else "API key"
    seconds = "second" if error.window_s == 1 else f"{error.window_s} seconds"
    return (
        f"The limit is at most {error.rows} transactions of one {whose} in any {seconds}; "
        f"retry after {max(1, math.ceil(error.wait_s))} s"
    )


def _limited(error: RateLimited) -> Headers:
    state = b'"%b";r=0;t=%d' % (error.limit.encode(), max(1, math.ceil(error.wait_s)))
    return (*_retry_after(error.wait_s), (b"ratelimit", state))


def _retry_after(seconds: float) -> Headers:
    # Whole seconds, rounded up: zero would invite an immediate retry.
    return ((b"retry-after", b"%d" % max(1, math.ceil(seconds))),)
