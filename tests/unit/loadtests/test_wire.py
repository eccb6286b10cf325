"""Reading and checking answers."""

from __future__ import annotations

import pytest

from loadtests.wire import Endpoint, Requests, degraded_in, length_of

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: a\r\nContent-Length: 5\r\n\r\n"


def test_the_length_of_an_answer() -> None:
    assert length_of(HEAD[:-1]) == -1
    assert length_of(HEAD) == len(HEAD) + 5
    empty = b"HTTP/1.1 204 X\r\nContent-Length: 0\r\n\r\n"
    assert length_of(empty) == len(empty)
    with pytest.raises(ValueError, match="without Content-Length"):
        length_of(b"HTTP/1.1 200 OK\r\n\r\n")


def test_requests_carry_key_and_length() -> None:
    endpoint = Endpoint("http://h:81/v1/x", "qk_a", lambda: (b'{"a":1}', b"expected"))
    sent, expected = Requests(endpoint).make()
    head, _, body = sent.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /v1/x HTTP/1.1\r\nHost: h:81\r\n")
    assert b"X-API-Key: qk_a" in head
    assert head.endswith(b"Content-Length: 7")
    assert (body, expected) == (b'{"a":1}', b"expected")
    assert endpoint.address == ("h", 81)


@pytest.mark.parametrize(
    ("answer", "rows", "fault"),
    [
        (HEAD + b't-1 "decision_id":', 1, None),
        (HEAD + b't-1 "decision_id": "decision_id":', 2, None),
        (HEAD + b't-1 "decision_id":', 2, "not every row was decided"),
        (HEAD + b't-2 "decision_id":', 1, "the answer is for another request"),
        (b"HTTP/1.1 429 Slow\r\n\r\nt-1", 1, "status 429"),
        (HEAD + b"t-1", 0, None),
    ],
)
def test_what_is_wrong_with_an_answer(answer: bytes, rows: int, fault: str | None) -> None:
    endpoint = Endpoint("http://h/", "", lambda: (b"", b"t-1"), rows)
    assert Requests(endpoint).fault(answer, b"t-1") == fault


def test_degraded_decisions_are_counted() -> None:
    assert degraded_in(b'"degraded":true "degraded":false "degraded":true') == 2
