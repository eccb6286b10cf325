"""The job store in a folder."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bulk.jobs.store import ORPHAN_AGE_S, JobStore, job_store_of
from fraud.errors import InvalidInput
from settings.settings import Settings
from tests.contracts.jobs import new_job_id

NOW_S = 1_800_000_000.0


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_folder_of_a_job_is_private_and_named_by_its_id(tmp_path: Path) -> None:
    job_id = new_job_id()
    paths = JobStore(tmp_path / "jobs").make(job_id)
    assert paths.folder == tmp_path / "jobs" / str(job_id)
    assert [mode(paths.folder), mode(paths.folder.parent)] == [0o700, 0o700]


def test_all_who_open_a_folder_at_once_agree_on_its_identity(tmp_path: Path) -> None:
    start, found = threading.Barrier(8), []

    def ask() -> None:
        store = JobStore(tmp_path / "jobs")
        start.wait()
        found.append(store.identity())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert JobStore(tmp_path / "jobs").identity() == found[0]
    assert JobStore(tmp_path / "others").identity() != found[0]
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["store-id"]
    assert mode(tmp_path / "jobs" / "store-id") == 0o600


def test_a_folder_needs_nothing_sent_or_fetched(tmp_path: Path) -> None:
    store, job_id = JobStore(tmp_path), new_job_id()
    paths = store.make(job_id)
    paths.upload.write_bytes(b"a")
    store.keep(job_id, paths.upload)
    assert store.bring(job_id, paths.upload)
    assert not store.bring(job_id, paths.upload, paths.result)


def test_what_callers_fetch_is_left_when_a_job_is_trimmed(tmp_path: Path) -> None:
    store, job_id = JobStore(tmp_path / "jobs"), new_job_id()
    paths = store.make(job_id)
    theirs = tmp_path / "theirs.csv"
    theirs.touch()
    paths.upload.symlink_to(theirs)
    for file in (paths.part(0), paths.sample, paths.result, paths.errors):
        file.parent.mkdir(exist_ok=True)
        file.touch()
    store.trim(job_id)
    store.trim(job_id)
    assert sorted(p.name for p in paths.folder.iterdir()) == ["errors.parquet", "result.parquet"]
    assert theirs.exists()


def test_a_removed_job_leaves_nothing(tmp_path: Path) -> None:
    store, job_id, other = JobStore(tmp_path), new_job_id(), new_job_id()
    for made in (job_id, other):
        part = store.make(made).part(0)
        part.parent.mkdir()
        part.write_bytes(b"a")
    store.remove(job_id)
    store.remove(job_id)
    assert [path.name for path in tmp_path.iterdir()] == [str(other)]


def test_folders_that_no_job_knows_are_orphans_after_a_day(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    young = new_job_id(NOW_S - ORPHAN_AGE_S + 60)
    orphan, known = (new_job_id(NOW_S - ORPHAN_AGE_S - 60) for _ in range(2))
    for made in (orphan, known, young):
        store.make(made)
    (tmp_path / "not-a-job").mkdir()
    (tmp_path / f"{orphan}x").mkdir()
    half_removed = tmp_path / ".removed-0123"
    half_removed.mkdir()
    assert store.orphans({known}, int(NOW_S * 1000)) == [orphan]
    assert not half_removed.exists()


def test_settings_name_the_store(tmp_path: Path) -> None:
    assert job_store_of(Settings(home=tmp_path)).url == (tmp_path / "jobs").as_uri()
    named = job_store_of(Settings(home=tmp_path, jobs_at=f"file://{tmp_path}/elsewhere"))
    assert (named.url, named.is_remote) == ((tmp_path / "elsewhere").as_uri(), False)
    with pytest.raises(InvalidInput, match="QUORUM_JOBS: 'ftp://x' is no job store"):
        job_store_of(Settings(home=tmp_path, jobs_at="ftp://x"))
