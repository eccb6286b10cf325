"""HAProxy's own error answers, in the problem+json form of the API.

HAProxy reads them from files. One answer cannot be replaced, as its text is compiled in: the
one to bytes that are not HTTP.
"""

from __future__ import annotations

from pathlib import Path

from serve_app.http.exchange import ALWAYS
from serve_app.http.problems import MEDIA_TYPE, HttpProblem, Problem, problem_of

_RETRY = ((b"retry-after", b"1"),)
_CLOSE = ((b"connection", b"close"),)

ANSWERS: dict[int, HttpProblem] = {
    400: HttpProblem("malformed-head", "the head of the request is malformed or too large", _CLOSE),
    408: HttpProblem("timeout-reading-body", "the body of the request did not arrive", _CLOSE),
    413: HttpProblem("body-too-large", "the body of the request is too large", _CLOSE),
    500: HttpProblem("internal", "an unexpected error before the request was read", _CLOSE),
    501: HttpProblem("malformed-head", "the head of the request is not supported", _CLOSE),
    502: HttpProblem("unavailable", "the service stopped while it answered this request", _RETRY),
    503: HttpProblem("unavailable", "the service is not ready to answer this request", _RETRY),
    504: HttpProblem("timeout", "no answer within the time allowed", _RETRY),
}
"""HAProxy's own status -> the answer to the client, whose status may differ: clients need not know
that there is a gateway."""


def error_files(folder: Path) -> None:
    """Write `<status>.http` for every status of `ANSWERS`.

    Raises:
        OSError: the folder cannot be written.
    """
    for status, problem in ANSWERS.items():
        (folder / f"{status}.http").write_bytes(_raw(problem_of(problem)))


def _raw(problem: Problem) -> bytes:
    body = problem.body()
    length = (b"content-length", b"%d" % len(body))
    headers = ((b"content-type", MEDIA_TYPE), length, *ALWAYS, *problem.headers)
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"%b\r\n%b\r\n%b" % (_status_line(problem), lines, body)


def _status_line(problem: Problem) -> bytes:
    return b"HTTP/1.1 %d %b" % (problem.status, _REASONS[problem.status])


_REASONS = {
    400: b"Bad Request",
    408: b"Request Timeout",
    413: b"Content Too Large",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
}
