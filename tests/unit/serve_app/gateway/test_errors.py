"""Errors of the gateway."""

from __future__ import annotations

import pickle

import pytest

from fraud.errors import Conflict
from serve_app.gateway.errors import (
    CallerGone,
    InsufficientScope,
    MatchRefused,
    TooManyJobs,
    Unauthenticated,
    unwrapped,
)
from tests.contracts.job_front import match_of


@pytest.mark.parametrize(
    "error",
    [
        Unauthenticated("no valid API key"),
        InsufficientScope("plans"),
        Conflict("opposite"),
        CallerGone(),
        MatchRefused(match_of(fits=False)),
        TooManyJobs(20, 30.0),
    ],
)
def test_an_error_crosses_by_pickle(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.args) == (type(error), error.args)


def test_a_cause_counts_more_than_its_wrapping_and_a_circle_ends() -> None:
    outer, inner = RuntimeError("ray"), KeyError("gone")
    outer.cause = inner  # type: ignore[attr-defined]
    assert unwrapped(outer) is inner
    inner.cause = outer  # type: ignore[attr-defined]
    assert unwrapped(outer) in (outer, inner)
