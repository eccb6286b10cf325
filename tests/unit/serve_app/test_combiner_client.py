"""Errors of Ray become errors of ours; no cluster runs here."""

from __future__ import annotations

from typing import Any

import pytest
from ray.exceptions import RayActorError, RayTaskError
from ray.serve.exceptions import BackPressureError, RayServeException

from deployments.readiness import Readiness
from fraud.errors import LogUnavailable, Overloaded, Unavailable
from serve_app.combiner_client import CombinerClient
from serve_app.http.problems import problem_of
from tests.contracts.decisions import whole
from tests.contracts.front import decided
from tests.unit.serve_app.gateway.test_coalescer import batch


def client(*outcomes: Any) -> tuple[CombinerClient, list[Any]]:
    asked: list[Any] = []
    left = list(outcomes)

    async def call(*args: Any) -> Any:
        asked.append(args)
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return CombinerClient(call, call), asked


ANSWER = whole(decided(["a"], {}))


async def test_a_call_lost_with_its_replica_is_made_again_once() -> None:
    combiner, asked = client(RayActorError(), ANSWER)
    assert await combiner.decide(batch("a"), False) is ANSWER
    combiner, asked = client(RayActorError(), RayActorError(), ANSWER)
    with pytest.raises(Unavailable):
        await combiner.decide(batch("a"), False)
    assert [patient for _, patient in asked] == [False, False]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (BackPressureError(num_queued_requests=9, max_queued_requests=8), Overloaded),
        (RayServeException("no such deployment"), Unavailable),
    ],
)
async def test_a_refusal_is_not_asked_about_again(error: Exception, kind: type) -> None:
    combiner, asked = client(error, ANSWER)
    with pytest.raises(kind) as caught:
        await combiner.decide(batch("a"), False)
    assert problem_of(caught.value).status == 503
    assert len(asked) == 1


async def test_what_the_combiner_raised_keeps_its_meaning() -> None:
    raised = RayTaskError("decide", "traceback", LogUnavailable("disk full")).as_instanceof_cause()
    combiner, asked = client(raised)
    with pytest.raises(LogUnavailable) as caught:
        await combiner.decide(batch("a"), False)
    problem = problem_of(caught.value)
    assert problem.status == 503
    assert "durable" in problem.document.detail
    assert len(asked) == 1


async def test_ready_is_what_the_combiner_says() -> None:
    yes = Readiness(True, (), ("logistic",), "default", 3)
    combiner, _ = client(yes, Readiness(False, ("no plan has been loaded",), (), "", 0))
    assert await combiner.ready() is yes
    with pytest.raises(Unavailable, match="no plan"):
        await combiner.ready()
