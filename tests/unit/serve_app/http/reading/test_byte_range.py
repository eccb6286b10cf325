"""One range of bytes."""

from __future__ import annotations

import pytest

from serve_app.http.problems import HttpProblem
from serve_app.http.reading.byte_range import read_range


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=2-99", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=1-2,4-5", None),
        ("rows=1-2", None),
        ("bytes=1-2x", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_a_range(text: str, expected: tuple[int, int] | None) -> None:
    assert read_range(text, 10) == expected


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_bytes_beyond_the_end(text: str) -> None:
    with pytest.raises(HttpProblem) as refused:
        read_range(text, 10)
    assert refused.value.slug == "range-not-satisfiable"
    assert refused.value.headers == ((b"content-range", b"bytes */10"),)
