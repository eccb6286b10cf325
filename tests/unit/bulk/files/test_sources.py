"""Files that were not uploaded: which may be read, and what a refusal tells."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from bulk.files.refused import FileRefused
from bulk.files.sources import JobSources

LIMIT = 1000


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """An allowed folder `ok`, and others that are not."""
    for name in ("ok", "ok/inner", "ok-not", "out"):
        (tmp_path / name).mkdir()
    for name in ("ok/a.csv", "ok/inner/b.csv", "ok-not/c.csv", "out/d.csv"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "ok/link-out").symlink_to(tmp_path / "out/d.csv")
    (tmp_path / "ok/link-folder").symlink_to(tmp_path / "out")
    (tmp_path / "ok/link-in").symlink_to(tmp_path / "ok/inner/b.csv")
    (tmp_path / "ok/circle").symlink_to(tmp_path / "ok/circle")
    os.mkfifo(tmp_path / "ok/pipe")
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "ok/socket"))
    return tmp_path


def fetch(places: Path, source: str, limit: int = LIMIT) -> bytes:
    target = places / "job/upload"
    JobSources.parse(f"{places}/ok, s3://bucket/data/").fetch(source, target, limit)
    return target.read_bytes()


@pytest.mark.parametrize("name", ["ok/a.csv", "ok/inner/b.csv", "ok/link-in", "ok//a.csv"])
def test_files_in_an_allowed_folder_are_copied(places: Path, name: str) -> None:
    real = (places / name).resolve().relative_to(places)
    assert fetch(places, f"{places}/{name}") == str(real).encode()


REFUSED = (
    *("ok", "ok/", "ok/inner", "ok/missing.csv", "ok/a.csv/x", "ok-not/c.csv"),
    *("ok-not/missing.csv", "out/d.csv", "out/missing.csv", "ok/../out/d.csv", "ok/../ok/a.csv"),
    *("ok/link-out", "ok/link-folder/d.csv", "ok/circle", "ok/pipe", "ok/socket", "ok/a.csv\0"),
    "",
)
OTHER_FORMS = (
    *("a.csv", "~/a.csv", "file:///etc/passwd", "/dev/zero", "/proc/self/environ", "s3://"),
    *("s3://bucket", "s3://other/data/a", "s3://bucket/data", "s3://bucket/data-not/a"),
    *("s3://bucket/data/../x", "s3://bucket/data//a", "s3://bucket@evil/data/a"),
    *("S3://bucket/data/a", "s3://bucket/data/"),
)


@pytest.mark.parametrize("name", REFUSED)
def test_anything_else_is_refused_in_the_same_words(places: Path, name: str) -> None:
    with pytest.raises(FileRefused) as caught:
        fetch(places, f"{places}/{name}")
    with pytest.raises(FileRefused) as other:
        fetch(places, "/somewhere/else")
    assert caught.value.args == other.value.args
    assert caught.value.code == "source-not-allowed"
    assert not (places / "job").exists()


@pytest.mark.parametrize("source", OTHER_FORMS)
def test_sources_of_other_forms_are_refused(places: Path, source: str) -> None:
    with pytest.raises(FileRefused) as caught:
        fetch(places, source)
    assert caught.value.code == "source-not-allowed"


def test_nothing_is_allowed_unless_it_is_listed(places: Path) -> None:
    with pytest.raises(FileRefused):
        JobSources.parse(" , ").fetch(f"{places}/ok/a.csv", places / "x", LIMIT)


def test_a_file_that_is_too_large_leaves_nothing_behind(places: Path) -> None:
    with pytest.raises(FileRefused) as caught:
        fetch(places, f"{places}/ok/a.csv", 7)
    assert caught.value.code == "too-large"
    assert not (places / "job").exists()


def test_a_copy_does_not_follow_its_source(places: Path) -> None:
    fetch(places, f"{places}/ok/a.csv")
    (places / "ok/a.csv").write_bytes(b"changed")
    assert (places / "job/upload").read_bytes() == b"ok/a.csv"


def test_an_allowed_folder_may_be_a_link(places: Path) -> None:
    (places / "alias").symlink_to(places / "ok")
    sources = JobSources.parse(str(places / "alias"))
    sources.fetch(f"{places}/alias/a.csv", places / "x", LIMIT)
    assert (places / "x").read_bytes() == b"ok/a.csv"


def test_a_folder_that_becomes_a_link_after_the_check(
    places: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = JobSources._allowed

    def checked_then_swapped(self: JobSources, source: str) -> tuple[Path, Path]:
        found = check(self, source)
        (places / "ok/inner").rename(places / "ok/before")
        (places / "ok/inner").symlink_to(places / "out")
        return found

    (places / "out/b.csv").write_bytes(b"secret")
    monkeypatch.setattr(JobSources, "_allowed", checked_then_swapped)
    with pytest.raises(FileRefused) as caught:
        fetch(places, f"{places}/ok/inner/b.csv")
    assert caught.value.code == "source-not-allowed"
    assert not (places / "job").exists()


@pytest.mark.parametrize("name", ["\ud800.csv", "x" * 300, "x/" * 3_000])
def test_names_that_no_file_has(places: Path, name: str) -> None:
    with pytest.raises(FileRefused) as caught:
        fetch(places, f"{places}/ok/{name}")
    assert caught.value.code == "source-not-allowed"


def test_no_file_stays_open(places: Path) -> None:
    fetch(places, f"{places}/ok/inner/b.csv")
    before = set(os.listdir("/proc/self/fd"))
    fetch(places, f"{places}/ok/inner/b.csv")
    for name in ("ok/pipe", "ok/inner", "ok/inner/missing.csv", "ok/a.csv/x"):
        with pytest.raises(FileRefused):
            fetch(places, f"{places}/{name}")
    assert set(os.listdir("/proc/self/fd")) == before
