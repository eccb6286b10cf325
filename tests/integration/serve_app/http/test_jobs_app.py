"""A file over HTTP, from its upload to its result: real matching, scoring and PostgreSQL."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from bulk.engine.file_steps import FileSteps
from bulk.engine.job_run import Workshop
from bulk.engine.reference_shelf import ReferenceShelf
from bulk.engine.runner import Runner
from bulk.engine.submission import Examiner, Planning
from bulk.engine.workers.process_pool import ProcessPool
from bulk.files.sources import JobSources
from bulk.jobs.store import JobStore
from bulk.output.csv_file import csv_chunks
from bulk.output.error_file import error_lines
from fraud.access.keys import hash_key
from fraud.access.scopes import ALL_SCOPES
from models.store.location import StorePlace
from serve_app.gateway.auth import Authenticator, KeyRecord
from serve_app.gateway.jobs.jobs import Jobs
from serve_app.gateway.jobs.records import JobRecords
from serve_app.gateway.jobs.room import JobLimits
from serve_app.http.job_routes.jobs import PATH
from serve_app.http.jobs_app import JobsApp
from serve_app.http.services import JobServices
from stores.postgres.connect import open_pool
from tests.contracts.front import HEADERS, KEY, PEPPER
from tests.contracts.jobs import new_job_id
from tests.contracts.scored_references import expected_scores, shop_table, store_shop_reference
from tests.unit.serve_app.http.test_asgi import assert_problem

ROWS = 700


class Desk:
    """An app of jobs on real stores, a client of it, and a runner of its jobs."""

    def __init__(self, client: httpx.AsyncClient, runner: Runner, folder: Path, drop: Path) -> None:
        self.client = client
        self.runner = runner
        self.folder = folder
        self.drop = drop

    def folders(self) -> list[str]:
        return [path.name for path in self.folder.glob("*-*") if path.is_dir()]


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        pool = await open_pool(database_url, size=4, timeout_s=30.0)
        stack.push_async_callback(pool.close)
        await pool.execute("DELETE FROM jobs")
        await pool.execute("DELETE FROM reference_models")
        async with pool.acquire() as session:
            await store_shop_reference(session, tmp_path / "artifacts")
        executor = ProcessPool(2)
        stack.push_async_callback(executor.close)
        shelf = ReferenceShelf(pool, lambda tenant: tenant)
        artifacts = StorePlace(str(tmp_path / "artifacts"), None, tmp_path / "cache", 1 << 30)
        store = JobStore(tmp_path / "jobs")
        (tmp_path / "drop").mkdir()

        async def wake() -> None:
            """Runners of tests are called by hand."""

        jobs = Jobs(
            JobRecords(pool, most_open=20, retention_days=7.0),
            store,
            Examiner(shelf, artifacts, executor, 1 << 30),
            JobSources.parse(str(tmp_path / "drop")).fetch,
            JobLimits(reserve_bytes=0),
            storage=store.identity(),
            wake=wake,
            new_id=new_job_id,
            now=lambda: datetime.now(UTC),
            csv_chunks=csv_chunks,
            error_chunks=error_lines,
        )
        shop = Workshop(
            store=store,
            executor=executor,
            steps=FileSteps(),
            planner=Planning(shelf, artifacts, executor),
            retention_days=7.0,
            max_unpacked_bytes=1 << 30,
            used=shelf.count_use,
        )
        record = KeyRecord(
            KEY.key_id, "acme", "standard", ALL_SCOPES, hash_key(PEPPER, KEY), None, None
        )

        async def find(key_id: str) -> KeyRecord | None:
            return record if key_id == KEY.key_id else None

        authenticate = Authenticator(find, PEPPER).authenticate
        app = JobsApp(JobServices(authenticate=authenticate, jobs=jobs))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://front", headers=HEADERS
        )
        await stack.enter_async_context(client)
        yield Desk(client, Runner(pool, shop, "runner"), tmp_path / "jobs", tmp_path / "drop")


def as_csv(table: pa.Table, bad_line: bytes = b"") -> bytes:
    text = io.BytesIO()
    pc.write_csv(table, text)
    return text.getvalue() + bad_line


async def test_a_file_is_uploaded_scored_and_downloaded(desk: Desk) -> None:
    table = shop_table(ROWS, seed=3, amount="montant")
    content = as_csv(table, b"1,2\n")
    answer = await desk.client.post(PATH, files={"file": ("achats.csv", content)})
    assert answer.status_code == 202, answer.text
    path = answer.headers["location"]
    assert (await desk.client.get(f"{path}/result")).status_code == 409
    assert await desk.runner.run_next() is not None
    job = (await desk.client.get(path)).json()
    assert (job["state"], job["problem"]) == ("done", None)
    assert (job["rows_done"], job["rows_failed"], job["progress"]) == (ROWS, 1, 1.0)

    scored = pc.read_csv(io.BytesIO((await desk.client.get(f"{path}/result")).content))
    assert scored.column_names[:4] == table.column_names
    assert scored.column("montant").equals(table.column("montant"))
    np.testing.assert_allclose(
        scored.column("quorum_score_shop").to_numpy(),
        expected_scores(table.column("montant").to_numpy()),
        rtol=1e-4,
    )
    parquet = (await desk.client.get(f"{path}/result?format=parquet")).content
    whole = pq.read_table(io.BytesIO(parquet))
    assert whole.num_rows == ROWS
    assert whole.column_names == scored.column_names

    errors = (await desk.client.get(f"{path}/errors.csv")).text.splitlines()
    assert errors[0] == "line,column,reason"
    assert [line.split(",")[0] for line in errors[1:]] == [str(ROWS + 2)]
    summary = (await desk.client.get(f"{path}/summary")).json()
    assert summary["stats"]["total"] == ROWS
    assert summary["best_model"].startswith("shop@")
    high = sum(level == "high" for level in scored.column("quorum_risk_level").to_pylist())
    assert summary["stats"]["high_risk"] == high


async def test_a_file_of_another_kind_is_refused_and_nothing_is_left(desk: Desk) -> None:
    content = b"planet,moons\n" + b"".join(b"p%d,%d\n" % (i, i % 7) for i in range(300))
    answer = await desk.client.post(PATH, files={"file": ("planets.csv", content)})
    problem = assert_problem(answer, 422, "match-refused")
    (shop,) = problem["match"]["models"]
    assert "column-missing" in [reason["code"] for reason in shop["reasons"]]
    assert desk.folders() == []


@pytest.mark.parametrize("content", [b"", b"montant,pays\n", b"a\n1\n2\n", b"a,a\n1,2\n"])
async def test_a_bad_file_is_named_and_nothing_is_left(desk: Desk, content: bytes) -> None:
    answer = await desk.client.post(PATH, files={"file": ("x.csv", content)})
    problem = assert_problem(answer, 422, "invalid-input")
    assert [error["pointer"] for error in problem["errors"]] == ["/file"]
    assert desk.folders() == []


async def test_a_source_is_read_where_it_is_allowed(desk: Desk, tmp_path: Path) -> None:
    content = as_csv(shop_table(ROWS, seed=4))
    (desk.drop / "march.csv").write_bytes(content)
    (tmp_path / "secret.csv").write_bytes(content)
    allowed = await desk.client.post(PATH, json={"source": str(desk.drop / "march.csv")})
    assert allowed.status_code == 202, allowed.text
    assert (allowed.json()["file_name"], allowed.json()["bytes"]) == ("march.csv", len(content))
    for source in (tmp_path / "secret.csv", desk.drop / "none.csv", desk.drop):
        refused = await desk.client.post(PATH, json={"source": str(source)})
        problem = assert_problem(refused, 422, "invalid-input")
        assert problem["errors"][0]["code"] == "source-not-allowed"
    assert len(desk.folders()) == 1


async def test_a_job_is_confirmed_with_other_options(desk: Desk) -> None:
    content = as_csv(shop_table(ROWS, seed=5))
    form = {"confirm": "false"}
    answer = await desk.client.post(PATH, files={"file": ("a.csv", content)}, data=form)
    path = answer.headers["location"]
    assert answer.json()["state"] == "waiting"
    assert await desk.runner.run_next() is None
    confirmed = await desk.client.post(f"{path}/confirm", json={"options": {"review": 10}})
    assert confirmed.json()["state"] == "queued", confirmed.text
    assert await desk.runner.run_next() is not None
    summary = (await desk.client.get(f"{path}/summary")).json()
    assert summary["stats"]["high_risk"] == 10


async def test_a_job_that_waits_is_cancelled_and_its_files_removed(desk: Desk) -> None:
    content = as_csv(shop_table(ROWS, seed=6))
    form = {"confirm": "false"}
    answer = await desk.client.post(PATH, files={"file": ("a.csv", content)}, data=form)
    path = answer.headers["location"]
    assert (await desk.client.delete(path)).json()["state"] == "cancelled"
    await desk.runner.clear()
    assert desk.folders() == []
    assert (await desk.client.get(path)).json()["state"] == "cancelled"
