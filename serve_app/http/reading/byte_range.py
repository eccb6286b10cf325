"""Reading `Range` (RFC 9110, section 14): one range of bytes; anything else means the whole."""

from __future__ import annotations

import re

from serve_app.http.problems import HttpProblem

_ONE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")


def read_range(text: str, size: int) -> tuple[int, int] | None:
    """Return the first byte of a range and the one after its last; None: the whole.

    Args:
        text: the value of `Range`, "" without one.
        size: of the file, in bytes.

    Raises:
        HttpProblem: 416: the file has no such bytes.

    >>> read_range("bytes=2-4", 10), read_range("bytes=-3", 10), read_range("rows=1-2", 10)
    ((2, 5), (7, 10), None)
    """
    found = _ONE.fullmatch(text)
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        start, stop = max(0, size - int(last)), size
    else:
        start = int(first)
        if last and int(last) < start:
            return None  # not valid, so it is to be ignored
        stop = min(size, int(last) + 1) if last else size
    if start >= stop:
        headers = ((b"content-range", b"bytes */%d" % size),)
        raise HttpProblem("range-not-satisfiable", f"The file has {size} bytes", headers)
    return start, stop
