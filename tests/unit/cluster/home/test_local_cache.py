"""Which local copies are removed, and which never."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.home import local_cache
from cluster.home.local_cache import Cleared, clear
from fraud.errors import InvalidInput
from models.artifact import MANIFEST


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name, size in {
        f"cache/artifacts/one/xgboost/0123456789ab/{MANIFEST}": 10,
        "cache/artifacts/one/xgboost/0123456789ab/model.onnx": 1_000,
        "cache/artifacts/one/xgboost/aliases/champion.json": 7,
        f"cache/artifacts/two/reference-ulb/0123456789ab/{MANIFEST}": 20,
        "cache/features-abc.npy": 500,
        "cache/ray-train/kept": 3,
        f"artifacts/xgboost/0123456789ab/{MANIFEST}": 10,
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * size)
    return tmp_path


def test_everything_that_can_be_made_again_is_removed(home: Path) -> None:
    assert clear(home) == Cleared(artifacts=2, matrices=1, bytes=1_530)
    left = {p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()}
    assert left == {
        "cache/artifacts/one/xgboost/aliases/champion.json",
        "cache/ray-train/kept",
        f"artifacts/xgboost/0123456789ab/{MANIFEST}",
    }
    assert clear(home) == Cleared(0, 0, 0)


@pytest.mark.parametrize(
    ("name", "cleared"),
    [
        ("xgboost", Cleared(1, 0, 1_010)),
        ("ulb", Cleared(1, 0, 20)),
        ("reference-ulb", Cleared(1, 0, 20)),
        ("features", Cleared(0, 1, 500)),
        ("logistic", Cleared(0, 0, 0)),
    ],
)
def test_a_name_limits_it(home: Path, name: str, cleared: Cleared) -> None:
    assert clear(home, name) == cleared


@pytest.mark.parametrize("name", ["", "..", "*", "../artifacts", "/"])
def test_a_name_is_no_path(home: Path, name: str) -> None:
    with pytest.raises(InvalidInput):
        clear(home, name)


def test_a_home_without_a_cache_is_empty(tmp_path: Path) -> None:
    assert clear(tmp_path) == Cleared(0, 0, 0)


def test_what_another_process_removes_meanwhile_is_no_failure(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = local_cache._artifacts

    def listed_then_gone(home: Path, name: str | None) -> list[Path]:
        found = listed(home, name)
        clear_all = [path for folder in found for path in folder.iterdir()]
        for path in [*clear_all, home / "cache/features-abc.npy"]:
            path.unlink()
        for folder in found:
            folder.rmdir()
        (home / "cache/features-def.npy").symlink_to("nowhere")
        return found

    monkeypatch.setattr(local_cache, "_artifacts", listed_then_gone)
    assert clear(home) == Cleared(0, 0, 0)
