"""Errors as problem documents."""

from __future__ import annotations

import inspect
import json
import pickle
from dataclasses import replace

import pytest

from fraud import errors
from fraud.errors import Conflict
from references.matching.match import Reason
from serve_app.gateway.errors import (
    InsufficientScope,
    MatchRefused,
    TooManyJobs,
    Unauthenticated,
)
from serve_app.http import problems
from serve_app.http.problems import KINDS, HttpProblem, MalformedBody, problem_of
from tests.contracts.job_front import match_of

ARGS = {
    "InvalidInput": ("wrong", (("/a", "missing", "is required"),)),
    "Overloaded": ("full", 2.5),
    "RateLimited": ("customer", 60, 60, 3.2),
    "SchemaMismatch": ("a", "b"),
    "StoreUnreachable": ("it refuses", "REDIS_URL", "start it"),
    "SettingInvalid": ("REDIS_URL", "has no port", "add one"),
}


def every_error() -> list[Exception]:
    classes = [
        c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception)
    ]
    return [c(*ARGS.get(c.__name__, ("what happened",))) for c in classes]


@pytest.mark.parametrize("error", every_error(), ids=lambda e: type(e).__name__)
def test_every_error_of_ours_becomes_a_document(error: Exception) -> None:
    problem = problem_of(pickle.loads(pickle.dumps(error)), "r-1")
    document = json.loads(problem.body())
    slug = document["type"].removeprefix("urn:quorum:problem:")
    assert KINDS[slug] == (problem.status, document["title"])
    assert document["request_id"] == "r-1"
    assert (b"retry-after" in dict(problem.headers)) == (problem.status in (429, 503))


@pytest.mark.parametrize(
    "error",
    [
        HttpProblem("conflict", "why", ((b"a", b"b"),)),
        MalformedBody("no", (("", "not_json", "x"),)),
        Conflict("opposite"),
        Unauthenticated("no valid API key"),
        InsufficientScope("plans"),
    ],
)
def test_http_s_own_errors_cross_by_pickle(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert problem_of(again).body() == problem_of(error).body()


def test_a_refused_match_tells_its_reasons_and_the_whole_match() -> None:
    problem = problem_of(MatchRefused(match_of(fits=False)), "r-1")
    document = json.loads(problem.body())
    assert (problem.status, document["detail"]) == (422, "Too little matched.")
    assert document["match"]["models"][0]["reasons"][0]["code"] == "low-similarity"
    whole = replace(match_of(fits=False), reasons=(Reason("no-reference", "There is none."),))
    assert problem_of(MatchRefused(whole)).document.detail == "There is none."
    empty = replace(whole, models=(), reasons=())
    assert problem_of(MatchRefused(empty)).document.detail == "No reference model fits the file"
    assert "match" not in json.loads(problem_of(Conflict("x")).body())


def test_too_many_jobs_say_how_many_and_when_to_come_back() -> None:
    problem = problem_of(TooManyJobs(20, 29.5), "r-1")
    assert (problem.status, dict(problem.headers)[b"retry-after"]) == (429, b"30")
    assert problem.document.detail.startswith("20 jobs have not ended")


def test_retry_after_is_whole_seconds_and_never_zero() -> None:
    for seconds, expected in ((0.0, b"1"), (0.2, b"1"), (2.5, b"3")):
        problem = problem_of(errors.Overloaded("full", seconds))
        assert dict(problem.headers)[b"retry-after"] == expected


def test_a_cause_counts_more_than_its_wrapping_and_a_circle_ends() -> None:
    outer = RuntimeError("ray")
    outer.cause = errors.NotFound("gone")  # type: ignore[attr-defined]
    assert problem_of(outer).status == 404
    outer.cause = outer  # type: ignore[attr-defined]
    assert problem_of(outer).status == 500


def test_an_unknown_error_reveals_nothing() -> None:
    problem = problem_of(KeyError("4111111111111111"), "r-1")
    assert problem.status == 500
    assert b"4111" not in problem.body()


def test_a_missing_scope_is_named() -> None:
    problem = problem_of(InsufficientScope("plans"), "r-1")
    assert problem.status == 403
    assert problem.document.detail == "This call needs an API key with the scope `plans`"
    challenge = b'Bearer realm="quorum", error="insufficient_scope", scope="plans"'
    assert problem.headers == ((b"www-authenticate", challenge),)


def test_statuses_are_errors() -> None:
    assert all(400 <= status < 600 for status, _ in KINDS.values())
    assert problems.MEDIA_TYPE == b"application/problem+json"
