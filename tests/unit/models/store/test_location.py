"""Which store a setting names."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraud.errors import InvalidInput
from models.store.location import open_store, store_of
from settings.settings import Settings


def test_the_default_is_a_folder_of_home(tmp_path: Path) -> None:
    assert store_of(Settings(home=tmp_path)).url == (tmp_path / "artifacts").as_uri()


def test_the_environment_names_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUORUM_ARTIFACTS", (tmp_path / "with space").as_uri())
    assert store_of(Settings(home=tmp_path)).url == (tmp_path / "with space").as_uri()


@pytest.mark.parametrize("made", ["{}/a", "file://{}/a", "file://localhost{}/a"])
def test_folders_are_named_in_three_ways(tmp_path: Path, made: str) -> None:
    settings = Settings(home=tmp_path)
    assert open_store(made.format(tmp_path), settings).url == (tmp_path / "a").as_uri()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "s3://",
        "s3:///prefix",
        "s3://b/p?x=1",
        "ftp://host/x",
        "file://host/x",
        "gs://b",
        "file:x",
        "s3://u:p@b",
    ],
)
def test_other_places_are_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidInput, match="no artifact store"):
        open_store(url, Settings(home=tmp_path))


def test_a_file_is_no_folder_and_the_variable_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(InvalidInput, match=r"QUORUM_ARTIFACTS: .* it is a file, not a folder"):
        store_of(Settings(home=tmp_path, artifacts_at=str(tmp_path / "a")))
