"""Submitting files, looking at jobs, confirming, cancelling."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from bulk.jobs.state import JobState
from fraud.errors import InvalidInput, Overloaded, StoreUnavailable
from serve_app.http.job_routes.jobs import PATH
from serve_app.http.reference.openapi import document
from tests.contracts.job_front import CENTS, CSV, OTHER_KEY, JobFront, match_of
from tests.unit.serve_app.http.test_asgi import assert_problem


@pytest.fixture
def front(tmp_path: Path) -> JobFront:
    return JobFront(tmp_path)


async def submitted(front: JobFront, data: Any = None, **query: str) -> httpx.Response:
    async with front.client() as client:
        files = {"file": ("march.csv", CSV, "text/csv")}
        return await client.post(PATH, files=files, data=data or {}, params=query)


async def test_a_file_becomes_a_job(front: JobFront) -> None:
    answer = await submitted(front, {"options": json.dumps({"models": 2, "ignore": ["x"]})})
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["location"] == f"{PATH}/{job['job_id']}"
    assert (job["state"], job["file_name"], job["bytes"]) == ("queued", "march.csv", len(CSV))
    assert job["match"]["chosen"] == ["cards@9c1f02ab77de"]
    assert (job["options"]["models"], job["options"]["ignore"]) == (2, ["x"])
    ((tenant, name, options, content),) = front.examined
    assert (tenant, name, content) == ("acme", "march.csv", CSV)
    assert options.models == 2
    assert front.woken == 1
    assert front.table.jobs[UUID(job["job_id"])].author == "abcdefghijkm"
    assert front.files() == [
        job["job_id"],
        *(f"{job['job_id']}/{n}" for n in ("sample.parquet", "upload")),
    ]
    folder = front.folder / job["job_id"]
    assert (folder.stat().st_mode & 0o777, (folder / "upload").stat().st_mode & 0o777) == (
        0o700,
        0o600,
    )


async def test_every_option_may_be_a_field_of_its_own(front: JobFront) -> None:
    fields = {
        "models": "1",
        "model": ["cards", "online@9c1f02ab77de"],
        "ignore": "fraude",
        "columns": '{"montant": "amount"}',
        "high": "0.9",
        "review": "50",
        "confirm": "false",
        "format": "parquet",
        "dialect": '{"delimiter": ";"}',
    }
    assert (await submitted(front, fields)).status_code == 202
    options = front.examined[0][2]
    assert (options.models, options.model) == (1, ("cards", "online@9c1f02ab77de"))
    assert (options.ignore, options.columns) == (("fraude",), {"montant": "amount"})
    assert (options.high, options.review, options.confirm) == (0.9, 50, False)
    assert (options.format, options.dialect) == ("parquet", {"delimiter": ";"})


async def test_a_dry_run_tells_the_match_and_leaves_nothing(front: JobFront) -> None:
    front.match = match_of(proposed=CENTS)
    answer = await submitted(front, dry_run="true")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["file_name"], found["to_confirm"]) == ("march.csv", ["montant"])
    assert found["match"]["models"][0]["columns"][0]["proposed"]["code"] == "minor-to-major"
    assert front.files() == []
    assert not front.table.jobs
    assert front.woken == 0


async def test_a_file_that_nothing_fits_is_refused_with_the_match(front: JobFront) -> None:
    front.match = match_of(fits=False)
    problem = assert_problem(await submitted(front), 422, "match-refused")
    assert problem["detail"] == "Too little matched."
    assert problem["match"]["models"][0]["reasons"][0]["needed"] == "more columns"
    assert problem["match"]["chosen"] == []
    assert front.files() == []
    assert not front.table.jobs


async def test_a_bad_file_is_refused(front: JobFront) -> None:
    detail = "Two columns have the same name."
    front.match = InvalidInput(detail, (("/file", "equal-names", detail),))
    problem = assert_problem(await submitted(front), 422, "invalid-input")
    assert problem["errors"] == [{"pointer": "/file", "code": "equal-names", "detail": detail}]
    assert front.files() == []


async def test_a_source_of_the_server(front: JobFront) -> None:
    body = {"source": "s3://payments/march.parquet", "options": {"review": 10}}
    async with front.client() as client:
        answer = await client.post(PATH, json=body)
    assert answer.status_code == 202, answer.text
    assert front.fetched == [("s3://payments/march.parquet", front.jobs.limits.upload_bytes)]
    assert front.examined[0][1] == "march.parquet"
    assert front.examined[0][2].review == 10
    assert answer.json()["source"] == "s3://payments/march.parquet"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], [""]),
        ({}, ["/source"]),
        ({"source": 3}, ["/source"]),
        ({"source": ""}, ["/source"]),
        ({"source": "a\nb"}, ["/source"]),
        ({"source": "x" * 3000}, ["/source"]),
        ({"source": "/x", "file": 1}, ["/file"]),
        ({"source": "/x", "options": []}, ["/options"]),
        ({"source": "/x", "options": {"models": 9}}, ["/options/models"]),
        ({"source": "/x", "options": {"models": "2"}}, ["/options/models"]),
        ({"source": "/x", "options": {"high": 0.1, "medium": 0.2}}, ["/options"]),
        (
            {"source": "/x", "options": {"modells": 9, "format": "xls"}},
            ["/options/format", "/options/modells"],
        ),
        ({"source": "/x", "options": {"columns": {"4111111111111111": 3}}}, ["/options/columns"]),
    ],
)
async def test_a_wrong_body_names_the_field(
    front: JobFront, body: Any, pointers: list[str]
) -> None:
    async with front.client() as client:
        answer = await client.post(PATH, json=body)
    problem = assert_problem(answer, 422, "invalid-input")
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers
    assert "4111" not in answer.text
    assert not front.examined
    assert front.files() == []


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"models": "many"}, "/models"),
        ({"format": "xls"}, "/format"),
        ({"columns": "[]"}, "/columns"),
        ({"columns": "{"}, "/columns"),
        ({"options": "3"}, "/options"),
        ({"options": '{"high": 2}'}, "/high"),
        ({"high": ["0.5", "0.6"]}, "/high"),
        ({"delimiter": ";"}, "/delimiter"),
        ({"<script>": "x"}, ""),
    ],
)
async def test_a_wrong_field_of_a_form_is_named(front: JobFront, fields: Any, pointer: str) -> None:
    answer = await submitted(front, fields)
    problem = assert_problem(answer, 422, "invalid-input")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert "script" not in answer.text
    assert not front.examined
    assert front.files() == []


async def test_the_query_is_checked(front: JobFront) -> None:
    for query in ({"dry_run": "yes"}, {"dryrun": "true"}):
        assert_problem(await submitted(front, None, **query), 422, "invalid-input")
    assert front.files() == []


async def test_other_media_types_are_415(front: JobFront) -> None:
    async with front.client() as client:
        for headers in ({"content-type": "text/csv"}, {}):
            answer = await client.post(PATH, content=CSV, headers=headers)
            problem = assert_problem(answer, 415, "unsupported-media-type")
            assert "multipart/form-data" in problem["detail"]


async def test_a_form_that_is_compressed_as_a_whole_is_415(front: JobFront) -> None:
    async with front.client() as client:
        answer = await client.post(
            PATH, files={"file": ("a.csv", CSV)}, headers={"content-encoding": "gzip"}
        )
    problem = assert_problem(answer, 415, "unsupported-media-type")
    assert "Content-Encoding" in problem["detail"]
    assert front.files() == []


async def test_not_json_is_400(front: JobFront) -> None:
    async with front.client() as client:
        for content in (b"{", b'{"source": NaN}', b"\xff", b"[" * 100_000):
            answer = await client.post(
                PATH, content=content, headers={"content-type": "application/json"}
            )
            assert_problem(answer, 400, "malformed-body")


async def test_a_tenant_may_have_so_many_open_jobs(front: JobFront) -> None:
    for _ in range(3):
        assert (await submitted(front)).status_code == 202
    answer = await submitted(front)
    problem = assert_problem(answer, 429, "too-many-jobs")
    assert answer.headers["retry-after"] == "30"
    assert "3 jobs have not ended" in problem["detail"]
    assert len(front.examined) == 3
    async with front.client(OTHER_KEY) as client:
        other = await client.post(PATH, files={"file": ("a.csv", CSV)})
    assert other.status_code == 202
    first = next(iter(front.table.jobs))
    front.table.change(first, state=JobState.DONE)
    assert (await submitted(front)).status_code == 202


async def test_uploads_under_way_count_as_open_jobs(front: JobFront) -> None:
    front.table.most_open = 1
    arrived, go = asyncio.Event(), asyncio.Event()
    examine = front.examine

    async def slow(*arguments: Any) -> Any:
        arrived.set()
        await go.wait()
        return await examine(*arguments)

    front.examine = slow  # type: ignore[method-assign]
    first = asyncio.create_task(submitted(front))
    await arrived.wait()
    assert_problem(await submitted(front), 429, "too-many-jobs")
    go.set()
    assert (await first).status_code == 202


async def test_a_disk_that_is_nearly_full_takes_nothing(tmp_path: Path) -> None:
    front = JobFront(tmp_path, reserve_bytes=1 << 60)
    answer = await submitted(front)
    assert_problem(answer, 503, "overloaded")
    assert answer.headers["retry-after"] == "60"
    assert front.files() == []


async def test_what_is_too_large_is_413(tmp_path: Path) -> None:
    front = JobFront(tmp_path, upload_bytes=len(CSV) - 1)
    assert_problem(await submitted(front), 413, "body-too-large")
    assert front.files() == []
    fits = JobFront(tmp_path, upload_bytes=len(CSV))
    assert (await submitted(fits)).status_code == 202


async def test_an_announced_size_is_refused_unread_and_the_connection_ends(tmp_path: Path) -> None:
    front = JobFront(tmp_path, upload_bytes=1000)

    async def pieces() -> Any:
        raise AssertionError("nothing of it is read")
        yield b""

    headers = {
        "content-type": "multipart/form-data; boundary=b",
        "content-length": str(100 << 20),
    }
    async with front.client() as client:
        answer = await client.post(PATH, content=pieces(), headers=headers)
    assert_problem(answer, 413, "body-too-large")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("error", [Overloaded("busy", 5.0), StoreUnavailable("down")])
async def test_not_now_is_503(front: JobFront, error: Exception) -> None:
    front.match = error
    answer = await submitted(front)
    assert answer.status_code == 503
    assert "retry-after" in answer.headers
    assert front.files() == []


async def test_a_job_that_the_table_does_not_take_leaves_nothing(front: JobFront) -> None:
    store = front.table.add

    async def down(_: Any) -> Any:
        raise StoreUnavailable("down")

    front.table.add = down  # type: ignore[method-assign]
    assert_problem(await submitted(front), 503, "unavailable")
    assert front.files() == []
    front.table.add = store  # type: ignore[method-assign]
    assert (await submitted(front)).status_code == 202


async def test_jobs_are_listed_newest_first_in_pages(front: JobFront) -> None:
    ids = [(await submitted(front)).json()["job_id"] for _ in range(3)]
    async with front.client() as client:
        first = (await client.get(PATH, params={"limit": 2})).json()
        assert [job["job_id"] for job in first["jobs"]] == ids[:0:-1]
        assert first["jobs"][0]["match"] is None
        rest = (await client.get(PATH, params={"before": first["next_before"]})).json()
        assert [job["job_id"] for job in rest["jobs"]] == ids[:1]
        assert rest["next_before"] is None
        for query in ({"limit": 0}, {"limit": 201}, {"before": "x"}, {"page": 2}):
            assert_problem(await client.get(PATH, params=query), 422, "invalid-input")
    async with front.client(OTHER_KEY) as client:
        assert (await client.get(PATH)).json() == {"jobs": [], "next_before": None}


async def test_a_job_tells_its_progress(front: JobFront) -> None:
    job_id = (await submitted(front)).json()["job_id"]
    front.table.change(
        UUID(job_id),
        state=JobState.SCORING,
        rows_total=100,
        rows_done=24,
        rows_failed=1,
        rows_per_s=15.0,
    )
    async with front.client() as client:
        job = (await client.get(f"{PATH}/{job_id}")).json()
    assert (job["state"], job["progress"], job["seconds_left"]) == ("scoring", 0.25, 5.0)
    assert (job["rows_total"], job["rows_done"], job["rows_failed"]) == (100, 24, 1)


async def test_a_failed_job_tells_why(front: JobFront) -> None:
    job_id = (await submitted(front)).json()["job_id"]
    problem = {"code": "worker-lost", "detail": "A worker was lost three times."}
    front.table.change(UUID(job_id), state=JobState.FAILED, problem=problem)
    async with front.client() as client:
        assert (await client.get(f"{PATH}/{job_id}")).json()["problem"] == problem
        answer = await client.get(f"{PATH}/{job_id}/result")
    assert "failed" in assert_problem(answer, 409, "conflict")["detail"]


@pytest.mark.parametrize(
    ("method", "below"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("POST", "/confirm"),
        ("GET", "/result"),
        ("GET", "/errors.csv"),
        ("GET", "/summary"),
    ],
)
async def test_a_job_of_another_tenant_does_not_exist(
    front: JobFront, method: str, below: str
) -> None:
    job_id = (await submitted(front)).json()["job_id"]
    front.finish(UUID(job_id))
    async with front.client(OTHER_KEY) as client:
        theirs = await client.request(method, f"{PATH}/{job_id}{below}")
        nobodys = await client.request(method, f"{PATH}/{job_id[:-4]}ffff{below}")
        no_id = await client.request(method, f"{PATH}/march.csv{below}")
    for answer in (theirs, nobodys, no_id):
        assert_problem(answer, 404, "not-found")
    assert front.table.jobs[UUID(job_id)].state is JobState.DONE


async def test_a_proposed_conversion_waits_for_its_confirmation(front: JobFront) -> None:
    front.match = match_of(proposed=CENTS)
    job = (await submitted(front)).json()
    assert (job["state"], job["to_confirm"]) == ("waiting", ["montant"])
    assert front.woken == 0
    applied = match_of(proposed=CENTS)
    column = replace(applied.models[0].columns[0], applied=CENTS)
    front.match = replace(applied, models=(replace(applied.models[0], columns=(column,)),))
    async with front.client() as client:
        changes = {"options": {"convert": {"montant": "minor-to-major"}}}
        answer = await client.post(f"{PATH}/{job['job_id']}/confirm", json=changes)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["to_confirm"]) == ("queued", [])
    assert front.matched_again[0].convert == {"montant": "minor-to-major"}
    assert front.woken == 1


async def test_a_confirmation_without_changes_does_not_match_again(front: JobFront) -> None:
    job = (await submitted(front, {"confirm": "false"})).json()
    assert job["state"] == "waiting"
    async with front.client() as client:
        answer = await client.post(f"{PATH}/{job['job_id']}/confirm")
        assert (answer.status_code, answer.json()["state"]) == (200, "queued")
        again = await client.post(f"{PATH}/{job['job_id']}/confirm")
    assert_problem(again, 409, "conflict")
    assert (len(front.examined), front.matched_again, front.woken) == (1, [], 1)


async def test_a_confirmation_that_fits_nothing_leaves_the_job_waiting(front: JobFront) -> None:
    job = (await submitted(front, {"confirm": "false"})).json()
    front.match = match_of(fits=False)
    path = f"{PATH}/{job['job_id']}/confirm"
    async with front.client() as client:
        answer = await client.post(path, json={"options": {"columns": {"montant": ""}}})
        assert_problem(answer, 422, "match-refused")
        for body in ([], {"option": {}}, {"options": 3}, {"options": {"models": 0}}):
            assert_problem(await client.post(path, json=body), 422, "invalid-input")
    assert front.table.jobs[UUID(job["job_id"])].state is JobState.WAITING


async def test_a_job_is_cancelled_and_an_ended_one_stays(front: JobFront) -> None:
    job_id = (await submitted(front)).json()["job_id"]
    async with front.client() as client:
        answer = await client.delete(f"{PATH}/{job_id}")
        assert (answer.status_code, answer.json()["cancelling"]) == (200, True)
        front.finish(UUID(job_id), finished_at=front.table.jobs[UUID(job_id)].created_at)
        again = await client.delete(f"{PATH}/{job_id}")
    assert (again.json()["state"], again.json()["cancelling"]) == ("done", False)


async def test_a_key_needs_the_scope(front: JobFront) -> None:
    front.grant("read", "decide", "label", "plans")
    problem = assert_problem(await submitted(front), 403, "insufficient-scope")
    assert "`jobs`" in problem["detail"]
    async with front.client(None) as client:
        assert_problem(await client.get(PATH), 401, "unauthenticated")
        answer = await client.post(PATH, files={"file": ("a.csv", CSV)})
    assert_problem(answer, 401, "unauthenticated")
    assert front.files() == []


async def test_other_paths_and_methods(front: JobFront) -> None:
    async with front.client() as client:
        for path in (f"{PATH}/", f"{PATH}/x/y/z", "/v1/decisions"):
            assert_problem(await client.get(path), 404, "not-found")
        answer = await client.put(PATH)
        assert_problem(answer, 405, "method-not-allowed")
        assert answer.headers["allow"] == "GET, POST"


async def test_answers_are_what_the_document_says(front: JobFront) -> None:
    import jsonschema

    front.match = match_of(proposed=CENTS)
    job = (await submitted(front)).json()
    async with front.client() as client:
        listed = (await client.get(PATH)).json()
    matched = (await submitted(front, dry_run="true")).json()
    front.match = match_of(fits=False)
    refused = (await submitted(front)).json()
    for name, answer in (
        ("JobOut", job),
        ("JobsOut", listed),
        ("MatchedOut", matched),
        ("ProblemOut", refused),
    ):
        schema = {"$ref": f"#/components/schemas/{name}", **document()}
        jsonschema.Draft202012Validator(schema).validate(answer)


def test_examples_are_what_the_document_says() -> None:
    import jsonschema

    for path, methods in document()["paths"].items():
        if not path.startswith(PATH):
            continue
        for operation in methods.values():
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    if "example" in content:
                        schema = {**content["schema"], **document()}
                        jsonschema.Draft202012Validator(schema).validate(content["example"])
