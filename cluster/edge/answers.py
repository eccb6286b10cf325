"""What HAProxy says by itself, as problem+json of the house.

Most of it HAProxy reads from files. What is no HTTP at all, or has too large a head, its parser
answers with a text that is compiled in and that no directive reaches: it is replaced, by one of the
same length, in the copy of HAProxy that the edge runs.
"""

from __future__ import annotations

import re
from pathlib import Path

from serve_app.exchange import ALWAYS
from serve_app.problems import MEDIA_TYPE, HttpProblem, Problem, problem_of

_RETRY = ((b"retry-after", b"1"),)
_CLOSE = ((b"connection", b"close"),)

ANSWERS: dict[int, HttpProblem] = {
    400: HttpProblem(
        "malformed-head", "the head of the request is not HTTP, or over 15 KB", _CLOSE
    ),
    408: HttpProblem("timeout-reading-head", "the head of the request did not arrive", _CLOSE),
    413: HttpProblem("body-too-large", "the body is larger than can be read here", _CLOSE),
    500: HttpProblem("internal", "an unexpected error before the request was read", _CLOSE),
    501: HttpProblem("malformed-head", "the head asks for what is not supported", _CLOSE),
    502: HttpProblem("unavailable", "what answered this request went while it did", _RETRY),
    503: HttpProblem("unavailable", "nothing is up yet that answers this request", _RETRY),
    504: HttpProblem("timeout", "no answer within the time allowed", _RETRY),
}
"""HAProxy's own status -> what a client is told instead: Serve is behind it, and a client need not
know of gateways."""

_BUILT_IN = re.compile(rb"HTTP/1\.1 (\d{3}) [ -~]+\r\n[^\0]*?</html>\n")


def error_files(folder: Path) -> None:
    """Write `<status>.http` for every status of `ANSWERS`.

    Raises:
        OSError: the folder cannot be written.
    """
    for status, problem in ANSWERS.items():
        (folder / f"{status}.http").write_bytes(_raw(problem_of(problem)))


def with_our_answers(program: bytes) -> bytes:
    """A HAProxy program whose built-in answers are ours, as far as they fit; others stay."""
    return _BUILT_IN.sub(_ours, program)


def _ours(found: re.Match[bytes]) -> bytes:
    theirs = found.group()
    problem = ANSWERS.get(int(found.group(1)))
    ours = theirs if problem is None else _short(problem_of(problem), len(theirs))
    return ours if len(ours) == len(theirs) else theirs


def _raw(problem: Problem) -> bytes:
    body = problem.body()
    length = (b"content-length", b"%d" % len(body))
    headers = ((b"content-type", MEDIA_TYPE), length, *ALWAYS, *problem.headers)
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"%b\r\n%b\r\n%b" % (_status_line(problem), lines, body)


def _short(problem: Problem, size: int) -> bytes:
    """The same without what can be left out, `size` bytes long where it is not longer."""
    document = problem.document
    body = b'{"type":"%b","title":"%b","status":%d}' % (
        document.type.encode(),
        document.title.encode(),
        problem.status,
    )
    # The body is padded: JSON may end in spaces. Two digits or three, so the head's size varies.
    for padding in range(size):
        padded = body + b" " * padding
        whole = b"%b\r\ncontent-type:%b\r\ncontent-length:%d\r\n%b\r\n%b" % (
            _status_line(problem),
            MEDIA_TYPE,
            len(padded),
            b"".join(b"%b:%b\r\n" % header for header in problem.headers),
            padded,
        )
        if len(whole) >= size:
            return whole
    return b""


def _status_line(problem: Problem) -> bytes:
    return b"HTTP/1.1 %d %b" % (problem.status, _REASONS[problem.status])


_REASONS = {
    400: b"Bad Request",
    408: b"Request Timeout",
    413: b"Content Too Large",
    500: b"Internal Server Error",
    503: b"Service Unavailable",
}
