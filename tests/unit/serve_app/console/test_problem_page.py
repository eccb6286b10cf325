"""Errors in plain words."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from fraud.errors import InvalidInput, NotFound, Overloaded, StoreUnavailable
from serve_app.console.problem_page import plain, problem_page
from serve_app.console.visit import ForeignForm
from serve_app.gateway.errors import InsufficientScope, Unauthenticated
from serve_app.http.exchange import REQUEST_ID
from serve_app.http.problems import HttpProblem

REQUEST = Request({"type": "http", "headers": [], REQUEST_ID: "r-1"})


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (NotFound("no such job"), 404, "nothing here"),
        (Unauthenticated("no"), 401, "sign in again"),
        (InsufficientScope("jobs"), 403, "may not do this"),
        (StoreUnavailable("pg"), 503, "Not available now"),
        (Overloaded("the disk is full"), 503, "The disk is full"),
        (TimeoutError(), 503, "took too long"),
        (ForeignForm(), 403, "cannot be used any more"),
        (HttpProblem("body-too-large", "At most 5 bytes"), 413, "At most 5 bytes"),
        (ZeroDivisionError("a secret"), 500, "Something went wrong"),
    ],
)
def test_errors_are_told_in_plain_words(error: Exception, status: int, words: str) -> None:
    answer = problem_page(REQUEST, error)
    text = bytes(answer.body).decode()
    assert answer.status_code == status
    assert words in text
    assert "secret" not in text
    assert "transaction" not in text
    assert ("r-1" in text) is (status >= 500)


def test_several_faults_are_listed() -> None:
    faults = (("/a", "invalid", "One is wrong"), ("/b", "invalid", "Two is wrong"))
    told = plain(REQUEST, InvalidInput("wrong", faults))
    assert told.errors == ("One is wrong", "Two is wrong")
    assert plain(REQUEST, InvalidInput("wrong", faults[:1])).errors == ()


def test_headers_for_the_browser_are_kept() -> None:
    answer = problem_page(REQUEST, Overloaded("full", retry_after_s=60.0))
    assert answer.headers["retry-after"] == "60"
    assert "www-authenticate" not in problem_page(REQUEST, Unauthenticated("no")).headers
