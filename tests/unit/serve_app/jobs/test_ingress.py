"""The front of bulk scoring as its replica builds it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from serve_app.http.job_routes.jobs import PATH
from serve_app.jobs import ingress
from tests.contracts.built_front import FakeBackend, lane, live, stand_in
from tests.contracts.front import HEADERS
from tests.contracts.job_front import JobFront

# Below what Serve makes of it.
JobsIngress = ingress.JobsIngress.func_or_class.__wrapped__  # type: ignore[attr-defined]


class Call:
    """A call of a runner."""

    def __init__(self, answer: Awaitable[None]) -> None:
        self.is_cancelled = False
        self._answer = answer

    def __await__(self) -> Generator[Any, None, None]:
        return self._answer.__await__()

    def cancel(self) -> None:
        self.is_cancelled = True


class Runner:
    """A handle on runners that keeps what was called."""

    def __init__(self, answer: Callable[[], Awaitable[None]]) -> None:
        self.method = ""
        self.calls: list[Call] = []
        self._answer = answer

    def options(self, *, method_name: str, **_: object) -> Runner:
        self.method = method_name
        return self

    def remote(self) -> Call:
        self.calls.append(Call(self._answer()))
        return self.calls[-1]


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[FakeBackend]:
    made = FakeBackend(JobFront(tmp_path))
    with stand_in(ingress, made):
        yield made


async def woken(backend: FakeBackend, runner: Runner) -> None:
    """Tell the runner of a job, as a job that is queued does."""
    await JobsIngress(runner).__serve_build_asgi_app__()
    assert backend.wake is not None
    await backend.wake()
    assert (runner.method, len(runner.calls)) == ("wake", 1)


async def wakes() -> None:
    return None


async def fails() -> None:
    raise ConnectionError("the runner is gone")


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_jobs_take_the_lane_that_was_opened(backend: FakeBackend) -> None:
    await JobsIngress(Runner(wakes)).__serve_build_asgi_app__()
    async with lane() as client:
        found = await client.get(PATH, headers=HEADERS)
        missing = await client.get(f"{PATH}/x/result", headers=HEADERS)
        assert (await client.get("/-/healthz")).status_code == 299
    assert (found.status_code, found.json()["jobs"]) == (200, [])
    assert missing.status_code == 404
    assert len(found.headers.get_list("x-request-id")) == 1


async def test_what_stands_behind_it_is_closed_with_the_app(backend: FakeBackend) -> None:
    app = await JobsIngress(Runner(wakes)).__serve_build_asgi_app__()
    assert not backend.is_closed
    await live(app)
    assert backend.is_closed


@pytest.mark.parametrize("answer", [wakes, fails])
async def test_a_runner_is_told_of_a_job_and_may_fail(backend: FakeBackend, answer: Any) -> None:
    runner = Runner(answer)
    await woken(backend, runner)
    assert not runner.calls[0].is_cancelled


async def test_a_runner_that_does_not_answer_is_given_up(
    backend: FakeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingress, "_WAKE_S", 0.01)
    runner = Runner(hangs)
    async with asyncio.timeout(30):
        await woken(backend, runner)
    assert runner.calls[0].is_cancelled
