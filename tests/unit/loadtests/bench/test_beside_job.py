from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loadtests.bench.beside_job import NotMeasured, ended, line, main, submit, unlabelled
from loadtests.open_loop import OpenFigures

FIGURES = OpenFigures(60.0, 59.9, 9.31, 15.0, 21.8, {}, 0.1)


def client(*answers: tuple[int, dict[str, Any]]) -> tuple[httpx.Client, list[str]]:
    """Return a client that gets these answers in turn, and what it asks."""
    asked: list[str] = []
    left = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(f"{request.method} {request.url.path}")
        status, document = left.pop(0)
        return httpx.Response(status, json=document)

    transport = httpx.MockTransport(answer)
    return httpx.Client(transport=transport, base_url="http://f"), asked


def test_a_line_has_every_percentile() -> None:
    assert line("beside", FIGURES) == (
        "beside    59.9/s  p50    9.3 ms  p90   15.0 ms  p99   21.8 ms"
    )


def test_a_failed_request_is_no_measurement() -> None:
    with pytest.raises(NotMeasured, match=r"beside the job: failures \{'HTTP 503': 2\}"):
        line("beside", dataclasses.replace(FIGURES, failures={"HTTP 503": 2}))


@pytest.mark.parametrize(("rows", "kept"), [(2, [4, 5]), (5, [1, 2, 3, 4, 5]), (7, 7)])
def test_the_file_has_the_last_rows_without_labels_and_as_many_as_asked(
    rows: int, kept: list[int] | int, tmp_path: Path
) -> None:
    path = tmp_path / "history.parquet"
    pq.write_table(pa.table({"amount": [1, 2, 3, 4, 5], "is_fraud": [False] * 5}), path)
    found = pq.read_table(unlabelled(path, rows, tmp_path / "x.parquet"))
    assert found.column_names == ["amount"]
    amounts = found["amount"].to_pylist()
    assert amounts == kept if isinstance(kept, list) else len(amounts) == kept


def test_a_csv_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="Parquet"):
        unlabelled(tmp_path / "x.csv.gz", 2, tmp_path / "x.parquet")


def test_a_job_that_waits_is_confirmed(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    file.write_bytes(b"x")
    waiting, queued = {"job_id": "7", "state": "waiting"}, {"job_id": "7", "state": "queued"}
    asking, asked = client((202, waiting), (202, queued))
    assert submit(asking, file) == queued
    assert asked == ["POST /v1/jobs", "POST /v1/jobs/7/confirm"]


def test_a_refused_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    file.write_bytes(b"x")
    asking, _ = client((422, {"detail": "no model fits"}))
    with pytest.raises(NotMeasured, match=r"not taken: 422 .*no model fits"):
        submit(asking, file)


def test_it_waits_for_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loadtests.bench.beside_job._LOOK_S", 0.0)
    states = ("scoring", "finishing", "done")
    asking, asked = client(*((200, {"state": state}) for state in states))
    assert ended(asking, {"job_id": "7"}, 20.0) == {"state": "done"}
    assert asked == ["GET /v1/jobs/7"] * 3


@pytest.mark.parametrize(
    ("states", "message"),
    [
        (("done",), "done before the load beside it ended, after 20 s: give more --rows"),
        (("scoring", "failed"), "ended as failed"),
    ],
)
def test_a_job_that_did_not_run_beside_the_load_is_no_measurement(
    states: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.bench.beside_job._LOOK_S", 0.0)
    asking, _ = client(*((200, {"state": state}) for state in states))
    with pytest.raises(NotMeasured, match=message):
        ended(asking, {"job_id": "7"}, 20.0)


def test_without_a_quorum_it_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path))
    for name in ("QUORUM_URL", "QUORUM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    assert main([]) == 2
    assert "run `make up`" in capsys.readouterr().err
