"""A file that nobody labelled, on a running Quorum: uploaded, matched, scored, downloaded."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest

from .conftest import Quorum

PATIENCE_S = 240.0
LABELS = ["is_fraud", "fraud_kind", "label_known_at"]


@pytest.fixture(scope="module")
def payments(quorum: Quorum, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Payments like those that the models have learnt from, without labels."""
    path = tmp_path_factory.mktemp("payments") / "payments.parquet"
    quorum.run(
        *("generate", "--out", str(path), "--customers", "300", "--days", "40", "--seed", "11")
    )
    return pq.read_table(path).drop_columns(LABELS)


def as_csv(table: pa.Table) -> bytes:
    text = io.BytesIO()
    pc.write_csv(table, text)
    return text.getvalue()


def ended(client: httpx.Client, path: str) -> dict[str, Any]:
    """Wait until a job has ended."""
    until = time.monotonic() + PATIENCE_S
    while True:
        job: dict[str, Any] = client.get(path).json()
        if job["finished_at"] is not None:
            return job
        assert time.monotonic() < until, job
        time.sleep(0.5)


def test_a_file_is_scored(quorum: Quorum, payments: pa.Table) -> None:
    content = as_csv(payments)
    with quorum.client() as client:
        client.timeout = httpx.Timeout(120)
        upload = {"file": ("payments.csv", content)}
        dry = client.post("/v1/jobs", files=upload, params={"dry_run": "true"})
        assert dry.status_code == 200, dry.text
        assert dry.json()["match"]["models"][0]["reasons"] == []

        answer = client.post("/v1/jobs", files=upload)
        assert answer.status_code == 202, answer.text
        path = answer.headers["location"]
        job = ended(client, path)
        assert (job["state"], job["problem"]) == ("done", None)
        assert job["rows_done"] == payments.num_rows

        result = client.get(f"{path}/result")
        assert result.headers["content-disposition"] == 'attachment; filename="payments-scored.csv"'
        scored = pc.read_csv(io.BytesIO(result.content))
        assert scored.column_names[: payments.num_columns] == payments.column_names
        assert scored.column("transaction_id").to_pylist() == (
            payments.column("transaction_id").to_pylist()
        )
        parquet = client.get(f"{path}/result", headers={"accept": "application/vnd.apache.parquet"})
        assert pq.read_table(io.BytesIO(parquet.content)).num_rows == payments.num_rows

        summary = client.get(f"{path}/summary").json()
        assert summary["stats"]["total"] == payments.num_rows
        assert summary["best_model"] == job["match"]["chosen"][0]
        assert client.get(f"{path}/errors.csv").text.splitlines() == ["line,column,reason"]
        assert path.rpartition("/")[2] in [
            j["job_id"] for j in client.get("/v1/jobs").json()["jobs"]
        ]


def test_a_file_of_another_kind_is_refused(quorum: Quorum) -> None:
    content = b"planet,moons\n" + b"".join(b"p%d,%d\n" % (i, i % 7) for i in range(500))
    with quorum.client() as client:
        answer = client.post("/v1/jobs", files={"file": ("planets.csv", content)})
    assert answer.status_code == 422, answer.text
    assert answer.json()["type"] == "urn:quorum:problem:match-refused"


def test_another_tenant_sees_no_job(quorum: Quorum, payments: pa.Table) -> None:
    created = quorum.json(
        *("keys", "create", "--name", "rival", "--tenant", "rival", "--scopes", "jobs")
    )
    with quorum.client() as client:
        form = {"confirm": "false"}
        upload = {"file": ("payments.csv", as_csv(payments.slice(0, 2_000)))}
        answer = client.post("/v1/jobs", files=upload, data=form, timeout=120)
        path = answer.headers["location"]
        with quorum.client(created["key"]) as rival:
            for method, below in (("GET", ""), ("DELETE", ""), ("GET", "/result")):
                assert rival.request(method, f"{path}{below}").status_code == 404
            assert rival.get("/v1/jobs").json()["jobs"] == []
        assert client.delete(path).json()["state"] == "cancelled"


def test_an_upload_that_breaks_off_leaves_nothing(quorum: Quorum) -> None:
    jobs = quorum.home / "jobs"
    before = {path.name for path in jobs.glob("*")}

    def endless() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv"\r\n\r\n'
        for _ in range(64):
            yield b"x,y\n" * 65_536
        raise ConnectionError("the client leaves")

    headers = {"content-type": "multipart/form-data; boundary=b"}
    with quorum.client() as client, pytest.raises(ConnectionError):
        client.post("/v1/jobs", content=endless(), headers=headers)
    until = time.monotonic() + PATIENCE_S
    while {path.name for path in jobs.glob("*")} != before:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_the_command_line_sees_the_same_jobs(quorum: Quorum) -> None:
    listed = json.loads(quorum.run("jobs", "list", "--json").stdout)
    with quorum.client() as client:
        served = client.get("/v1/jobs").json()["jobs"]
    assert [job["job_id"] for job in listed] == [job["job_id"] for job in served]
