"""The report of an experiment over HTTP."""

from __future__ import annotations

import asyncio
import csv
import io
import threading
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from experiments.reading.reader import Found, Wanted
from experiments.report import Report
from fraud.errors import StoreUnavailable
from serve_app.http.routes import experiments
from serve_app.http.wire.experiment_schemas import ReportOut
from tests.contracts.experiment import END
from tests.contracts.experiment_found import found_of
from tests.contracts.front import Front
from tests.unit.serve_app.http.test_asgi import assert_problem

PATH = "/v1/experiments/default/report"
PERIOD = {"from": "2026-01-05T00:00:00Z", "to": END.isoformat()}
FOUND = found_of(2_000)


@pytest.fixture
def front() -> Front:
    front = Front()
    front.wanted = []  # type: ignore[attr-defined]

    async def experiment(wanted: Wanted) -> Found:
        front.wanted.append(wanted)  # type: ignore[attr-defined]
        return FOUND

    front.records.experiment = experiment  # type: ignore[attr-defined]
    return front


async def get(front: Front, path: str = PATH, accept: str = "*/*", **query: Any) -> httpx.Response:
    async with front.client() as client:
        return await client.get(path, params=PERIOD | query, headers={"accept": accept})


async def test_json_is_what_the_reference_says(front: Front) -> None:
    response = await get(front, version=7)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    decoded = msgspec.json.decode(response.content, type=ReportOut)
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == response.json()
    assert [c["recommendation"]["decision"] for c in response.json()["comparisons"]]
    (wanted,) = front.wanted  # type: ignore[attr-defined]
    assert (wanted.tenant, wanted.plan, wanted.version) == ("acme", "default", 7)
    assert (wanted.since.isoformat(), wanted.until) == ("2026-01-05T00:00:00+00:00", END)


@pytest.mark.parametrize("asked", [{"format": "csv"}, {"accept": "text/csv;q=0.9, */*"}])
async def test_csv(front: Front, asked: dict[str, str]) -> None:
    response = await get(front, **asked)
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    lines = list(csv.DictReader(io.StringIO(response.text)))
    assert {line["name"] for line in lines} == {"", "control", "new", "candidate"}


@pytest.mark.parametrize(
    "asked", [{"format": "html"}, {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}]
)
async def test_the_page_runs_nothing(front: Front, asked: dict[str, str]) -> None:
    response = await get(front, **asked)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert response.text.startswith("<!doctype html>")


async def test_the_format_wins_over_the_header(front: Front) -> None:
    assert (await get(front, accept="text/html", format="json")).json()["plan"] == "default"


async def test_how_long_to_wait_and_what_unlabelled_payments_are(front: Front) -> None:
    document = (await get(front, waiting_days="0.5", unlabelled="genuine")).json()
    assert document["label_delay"]["source"] == "given"
    whole = document["sides"][0]["maturity"]
    assert whole["counted"] == whole["decisions"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"version": "0"}, "/version"),
        ({"version": "x"}, "/version"),
        ({"waiting_days": "nan"}, "/waiting_days"),
        ({"waiting_days": "-1"}, "/waiting_days"),
        ({"waiting_days": "900"}, "/waiting_days"),
        ({"unlabelled": "fraud"}, "/unlabelled"),
        ({"format": "xml"}, "/format"),
        ({"from": "yesterday"}, "/from"),
        ({"from": "2026-09-01T00:00:00Z"}, "/from"),
        ({"from": "2020-09-01T00:00:00Z"}, "/from"),
        ({"tenant": "other"}, "/tenant"),
    ],
)
async def test_wrong_parameters_are_named(
    front: Front, query: dict[str, str], pointer: str
) -> None:
    document = assert_problem(await get(front, **query), 422, "invalid-input")
    assert [error["pointer"] for error in document["errors"]] == [pointer]
    assert front.wanted == []  # type: ignore[attr-defined]


async def test_a_plan_that_decided_nothing_is_not_found(front: Front) -> None:
    empty = found_of(2_000, rows=FOUND.rows.take(FOUND.rows.decided_ms < 0))

    async def experiment(wanted: Wanted) -> Found:
        return empty

    front.records.experiment = experiment  # type: ignore[attr-defined]
    document = assert_problem(await get(front), 404, "not-found")
    assert document["detail"].startswith("No payment of this key's tenant was decided")


@pytest.mark.parametrize("name", ["%00", "nul%00", "a%20b", "x" * 65])
async def test_what_names_no_plan_is_not_looked_up(front: Front, name: str) -> None:
    async with front.client() as client:
        assert_problem(await client.get(f"/v1/experiments/{name}/report"), 404, "not-found")
    assert front.wanted == []  # type: ignore[attr-defined]


async def test_without_labels_the_answer_is_not_yet(front: Front) -> None:
    document = (await get(front, to="2026-01-08T00:00:00Z")).json()
    assert {c["recommendation"]["decision"] for c in document["comparisons"]} == {"not yet"}


async def test_a_database_that_does_not_answer_is_503(front: Front) -> None:
    async def experiment(wanted: Wanted) -> Found:
        raise StoreUnavailable("PostgreSQL does not answer")

    front.records.experiment = experiment  # type: ignore[attr-defined]
    assert_problem(await get(front), 503, "unavailable")


async def test_a_report_that_takes_too_long_asks_for_a_shorter_time(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def experiment(wanted: Wanted) -> Found:
        return await asyncio.Event().wait()  # type: ignore[return-value]

    front.records.experiment = experiment  # type: ignore[attr-defined]
    monkeypatch.setattr(experiments, "TIME_LIMIT_S", 0.01)
    document = assert_problem(await get(front), 422, "invalid-input")
    assert document["errors"][0]["pointer"] == "/from"


async def test_a_report_that_takes_too_long_to_compute_does_so_too(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = iter([0.0, 29.0, 31.0])  # when it begins, before the first side, before the second
    monkeypatch.setattr(experiments, "monotonic", lambda: next(times))
    document = assert_problem(await get(front), 422, "invalid-input")
    assert document["errors"][0]["pointer"] == "/from"


async def test_the_next_report_waits_until_an_abandoned_one_has_ended(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, finish = threading.Event(), threading.Event()

    def slow(*_: Any, go_on: Callable[[], None], **__: Any) -> Report:
        begun.set()
        finish.wait(10)
        go_on()
        raise AssertionError("it goes on though the client has gone")

    with monkeypatch.context() as patched:
        patched.setattr(experiments, "report", slow)
        first = asyncio.create_task(get(front))
        await asyncio.to_thread(begun.wait, 10)
        first.cancel()
        await asyncio.sleep(0.01)
        assert_problem(await get(front), 503, "overloaded")
        finish.set()
        with pytest.raises(asyncio.CancelledError):
            await first
    assert (await get(front)).status_code == 200


async def test_one_report_at_a_time(front: Front) -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def experiment(wanted: Wanted) -> Found:
        begun.set()
        await finish.wait()
        return FOUND

    front.records.experiment = experiment  # type: ignore[attr-defined]
    first = asyncio.create_task(get(front))
    await begun.wait()
    second = await get(front)
    assert_problem(second, 503, "overloaded")
    assert second.headers["retry-after"] == "5"
    finish.set()
    assert (await first).status_code == 200


async def test_without_a_key_there_is_nothing(front: Front) -> None:
    async with front.client() as client:
        response = await client.get(PATH, headers={"x-api-key": "x"})
    assert_problem(response, 401, "unauthenticated")


async def test_a_key_that_only_decides_reads_no_report(front: Front) -> None:
    front.grant("decide", "label", "plans")
    assert_problem(await get(front), 403, "insufficient-scope")
