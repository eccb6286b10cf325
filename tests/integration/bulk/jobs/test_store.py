"""The job store behind a real S3 server: what one machine begins, another continues."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bulk.jobs.store import ORPHAN_AGE_S, JobStore, job_store_of
from settings.settings import Settings
from tests.contracts.jobs import new_job_id
from tests.contracts.s3 import BUCKET, s3_server

NOW_S = 1_800_000_000.0


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with s3_server(monkeypatch) as url:
        yield url


def machine(home: Path, prefix: str = "jobs") -> JobStore:
    """The bucket as a machine sees it."""
    return job_store_of(Settings(home=home, jobs_at=f"s3://{BUCKET}/{prefix}"))


def test_machines_share_a_bucket(endpoint: str, tmp_path: Path) -> None:
    one, two, three = (machine(tmp_path / name) for name in ("one", "two", "three"))
    assert one.is_remote
    assert one.identity() == two.identity() != machine(tmp_path / "two", "others").identity()

    job_id = new_job_id()
    paths = one.make(job_id)
    paths.upload.write_bytes(b"a,b\n1,2\n")
    scores = paths.scores(3)
    scores.parent.mkdir()
    scores.write_bytes(b"scores")
    one.keep(job_id, paths.upload, scores, paths.result)

    there = two.paths(job_id)
    assert two.bring(job_id, there.upload, there.scores(3))
    assert not two.bring(job_id, there.result)
    assert there.upload.read_bytes() == b"a,b\n1,2\n"
    assert there.scores(3).read_bytes() == b"scores"
    assert there.folder.stat().st_mode & 0o777 == 0o700
    assert there.upload.stat().st_mode & 0o777 == 0o600
    assert sorted(p.name for p in there.folder.rglob("*")) == ["000003.npz", "scores", "upload"]

    there.result.write_bytes(b"result")
    two.keep(job_id, there.result)
    two.trim(job_id)
    assert not there.folder.exists()
    elsewhere = three.paths(job_id)
    assert not three.bring(job_id, elsewhere.upload, elsewhere.scores(3))
    assert [p.name for p in elsewhere.folder.rglob("*.*")] == []
    assert three.bring(job_id, elsewhere.result)
    two.remove(job_id)
    three.remove_local(job_id)
    assert not three.bring(job_id, elsewhere.result)


def test_orphans_are_found_there_too(endpoint: str, tmp_path: Path) -> None:
    one, two = machine(tmp_path / "one"), machine(tmp_path / "two")
    job_id, young = (new_job_id(NOW_S - age_s) for age_s in (ORPHAN_AGE_S + 60, 60))
    for made in (job_id, young):
        paths = one.make(made)
        paths.upload.write_bytes(b"a")
        one.keep(made, paths.upload)
    assert two.orphans(set(), int(NOW_S * 1000)) == [job_id]
    assert two.orphans({job_id}, int(NOW_S * 1000)) == []
