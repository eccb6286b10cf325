"""Files in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bulk.files.refused import FileRefused
from bulk.files.sources import JobSources
from models.store.s3 import S3Objects
from tests.contracts.s3 import BUCKET, s3_server


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Iterator[JobSources]:
    """Jobs may read `data/` of a bucket that has files there and beside it."""
    with s3_server(monkeypatch) as endpoint:
        objects = S3Objects(BUCKET, "", endpoint)
        for name in ("data/a.csv", "data-not/b.csv"):
            objects.write(name, b"a,b\n1,2\n")
        yield JobSources.parse(f"s3://{BUCKET}/data", endpoint)


def test_objects_are_copied_up_to_the_limit(sources: JobSources, tmp_path: Path) -> None:
    sources.fetch(f"s3://{BUCKET}/data/a.csv", tmp_path / "x", 8)
    assert (tmp_path / "x").read_bytes() == b"a,b\n1,2\n"
    with pytest.raises(FileRefused) as caught:
        sources.fetch(f"s3://{BUCKET}/data/a.csv", tmp_path / "y", 7)
    assert caught.value.code == "too-large"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("key", ["data/missing.csv", "data-not/b.csv", "data-not/missing.csv"])
def test_other_objects_are_refused_in_the_same_words(
    sources: JobSources, tmp_path: Path, key: str
) -> None:
    with pytest.raises(FileRefused) as caught:
        sources.fetch(f"s3://{BUCKET}/{key}", tmp_path / "x", 100)
    with pytest.raises(FileRefused) as other:
        sources.fetch(f"s3://other/{key}", tmp_path / "x", 100)
    assert caught.value.args == other.value.args
