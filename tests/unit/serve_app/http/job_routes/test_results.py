"""Results, bad rows and summaries of jobs."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import httpx
import jsonschema
import pyarrow.parquet as pq
import pytest

from bulk.jobs.state import JobState
from serve_app.http.job_routes.jobs import PATH
from serve_app.http.reference.openapi import document
from tests.contracts.job_front import CSV, SUMMARY, JobFront
from tests.unit.serve_app.http.test_asgi import assert_problem

PARQUET = "application/vnd.apache.parquet"
AS_CSV = b"montant,quorum_probability\n12.50,0.9\n7.00,0.01\n"


@pytest.fixture
def front(tmp_path: Path) -> JobFront:
    return JobFront(tmp_path)


async def submitted(front: JobFront, name: str = "march.csv", **fields: str) -> str:
    async with front.client() as client:
        answer = await client.post(PATH, files={"file": (name, CSV)}, data=fields)
    job_id: str = answer.json()["job_id"]
    return job_id


async def done(front: JobFront, name: str = "march.csv", **fields: str) -> str:
    job_id = await submitted(front, name, **fields)
    front.finish(UUID(job_id))
    return f"{PATH}/{job_id}"


async def get(front: JobFront, path: str, **headers: str) -> httpx.Response:
    async with front.client() as client:
        return await client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def test_the_result_as_csv(front: JobFront) -> None:
    path = await done(front)
    answer = await get(front, f"{path}/result")
    assert (answer.status_code, answer.content) == (200, AS_CSV)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="march-scored.csv"'
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_result_as_parquet(front: JobFront) -> None:
    path = await done(front)
    answer = await get(front, f"{path}/result?format=parquet")
    assert answer.headers["content-type"] == PARQUET
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["content-disposition"] == 'attachment; filename="march-scored.parquet"'
    assert pq.read_table(io.BytesIO(answer.content)).num_rows == 2


@pytest.mark.parametrize(
    ("accept", "option", "expected"),
    [
        (PARQUET, "csv", PARQUET),
        ("text/csv", "parquet", "text/csv; charset=utf-8"),
        ("*/*", "parquet", PARQUET),
        ("*/*", "csv", "text/csv; charset=utf-8"),
        (f"text/csv;q=0.5, {PARQUET}", "csv", PARQUET),
        (f"{PARQUET};q=0, text/*", "parquet", "text/csv; charset=utf-8"),
        ("application/json, */*;q=0.1", "csv", "text/csv; charset=utf-8"),
    ],
)
async def test_the_format_is_what_the_client_prefers(
    front: JobFront, accept: str, option: str, expected: str
) -> None:
    path = await done(front, format=option)
    answer = await get(front, f"{path}/result", accept=accept)
    assert answer.headers["content-type"] == expected
    assert answer.headers["vary"] == "accept"


async def test_other_formats_are_refused(front: JobFront) -> None:
    path = await done(front)
    assert_problem(await get(front, f"{path}/result", accept="text/html"), 406, "not-acceptable")
    assert_problem(await get(front, f"{path}/result", accept="text/csv;q=x"), 406, "not-acceptable")
    for query in ("?format=xls", "?fmt=csv"):
        assert_problem(await get(front, f"{path}/result{query}"), 422, "invalid-input")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/pass wd", "pass-wd"),
        ('a"; filename="evil.exe', "a-filename-evil"),
        ("paiements été.v2.csv", "paiements-t"),
        ("\r\nSet-Cookie: a=b", "Set-Cookie-a-b"),
        (".csv", "file"),
        ("a" * 10_000, "a" * 64),
    ],
)
async def test_a_name_is_safe_in_the_header(front: JobFront, name: str, shown: str) -> None:
    job_id = await submitted(front)
    front.finish(UUID(job_id), file_name=name)
    answer = await get(front, f"{PATH}/{job_id}/result")
    assert answer.headers["content-disposition"] == f'attachment; filename="{shown}-scored.csv"'


async def test_what_has_not_changed_is_not_sent_again(front: JobFront) -> None:
    path = await done(front)
    first = await get(front, f"{path}/result")
    again = await get(front, f"{path}/result", if_none_match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    other = await get(front, f"{path}/result?format=parquet", if_none_match=first.headers["etag"])
    assert other.status_code == 200
    assert other.headers["etag"] != first.headers["etag"]


async def test_a_range_of_a_parquet_file(front: JobFront) -> None:
    path = f"{await done(front)}/result?format=parquet"
    whole = await get(front, path)
    size = len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"
    some = await get(front, path, range="bytes=4-9")
    assert (some.status_code, some.content) == (206, whole.content[4:10])
    assert some.headers["content-range"] == f"bytes 4-9/{size}"
    last = await get(front, path, range="bytes=-4")
    assert last.content == b"PAR1"
    changed = await get(front, path, range="bytes=4-9", if_range='"other"')
    assert (changed.status_code, len(changed.content)) == (200, size)
    beyond = await get(front, path, range=f"bytes={size}-")
    assert_problem(beyond, 416, "range-not-satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{size}"


async def test_csv_is_made_on_the_way_and_has_no_ranges(front: JobFront) -> None:
    answer = await get(front, f"{await done(front)}/result", range="bytes=0-3")
    assert (answer.status_code, answer.content) == (200, AS_CSV)


async def test_head_makes_no_file(front: JobFront) -> None:
    path = await done(front)
    made: list[bytes] = []

    def never(_: Path) -> Iterator[bytes]:
        made.append(b"")
        yield b""

    front.jobs._csv_chunks = never
    async with front.client() as client:
        answer = await client.head(f"{path}/result")
        parquet = await client.head(f"{path}/result?format=parquet")
    assert (answer.status_code, answer.content, made) == (200, b"", [])
    assert int(parquet.headers["content-length"]) > 0
    assert parquet.content == b""


async def test_a_client_that_leaves_ends_the_reading(front: JobFront) -> None:
    path = await done(front)
    ended: list[bool] = []

    def endless(_: Path) -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
        finally:
            ended.append(True)

    front.jobs._csv_chunks = endless
    left = 5

    async def send(message: dict[str, object]) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError("the connection is closed")

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async with front.client() as client:
        key = client.headers["x-api-key"].encode()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": f"{path}/result",
        "raw_path": f"{path}/result".encode(),
        "query_string": b"",
        "headers": [(b"x-api-key", key)],
    }
    await front.app(scope, receive, send)
    assert ended == [True]


async def test_bad_rows(front: JobFront) -> None:
    path = await done(front)
    answer = await get(front, f"{path}/errors.csv")
    assert answer.content == b"line,reason\n4,cells\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="march-errors.csv"'
    assert_problem(await get(front, f"{path}/errors.csv?a=b"), 422, "invalid-input")


async def test_the_summary_has_the_short_answer_and_more(front: JobFront) -> None:
    path = await done(front)
    found = (await get(front, f"{path}/summary")).json()
    short = {"stats", "methods_used", "best_model", "similarity_score"}
    assert {name: found[name] for name in short} == {name: SUMMARY[name] for name in short}
    assert found["download_url"] == f"{path}/result"
    assert found["errors_url"] == f"{path}/errors.csv"
    assert found["details"] == {"levels": SUMMARY["levels"]}
    schema = {"$ref": "#/components/schemas/SummaryOut", **document()}
    jsonschema.Draft202012Validator(schema).validate(found)
    async with front.client() as client:
        assert (await client.get(found["download_url"])).content == AS_CSV


@pytest.mark.parametrize("state", [s for s in JobState if s is not JobState.DONE])
async def test_without_a_result_it_is_409(front: JobFront, state: JobState) -> None:
    job_id = await submitted(front)
    front.finish(UUID(job_id), state=state)
    for below in ("result", "summary"):
        problem = assert_problem(await get(front, f"{PATH}/{job_id}/{below}"), 409, "conflict")
        assert state.value in problem["detail"]
    has_errors = state not in (JobState.WAITING, JobState.QUEUED, JobState.READING)
    errors = await get(front, f"{PATH}/{job_id}/errors.csv")
    assert errors.status_code == (200 if has_errors else 409)


async def test_files_that_were_removed_are_404(front: JobFront) -> None:
    path = await done(front)
    front.store.remove(UUID(path.rpartition("/")[2]))
    for below in ("result", "errors.csv"):
        assert_problem(await get(front, f"{path}/{below}"), 404, "not-found")
    assert (await get(front, f"{path}/summary")).status_code == 200


async def test_files_of_another_store_are_503(front: JobFront) -> None:
    path = await done(front)
    front.table.change(UUID(path.rpartition("/")[2]), storage="elsewhere")
    assert_problem(await get(front, f"{path}/result"), 503, "unavailable")
