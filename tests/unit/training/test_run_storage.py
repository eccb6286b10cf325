"""Where runs are kept: this machine, a shared folder, a bucket."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from fraud.errors import InvalidInput, NotTrainable
from settings.settings import Settings
from training.run_storage import RunStorage, run_storage_of


def test_without_a_setting_it_is_in_the_home(tmp_path: Path) -> None:
    storage = run_storage_of(Settings(home=tmp_path), None)
    assert storage == RunStorage(str(tmp_path / "cache" / "ray-train"))
    assert Path(storage.path).is_dir()


def test_several_nodes_need_a_shared_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, host="10.0.0.5")
    with pytest.raises(NotTrainable, match="QUORUM_TRAINING_RUNS"):
        run_storage_of(settings, "10.0.0.1:6379")
    # A private node of this machine shares with nobody.
    assert run_storage_of(settings, None).path.startswith(str(tmp_path))


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_shared_folder(tmp_path: Path, scheme: str) -> None:
    shared = tmp_path / "shared"
    settings = Settings(home=tmp_path, host="10.0.0.5", training_runs_at=f"{scheme}{shared}")
    assert run_storage_of(settings, "10.0.0.1:6379") == RunStorage(str(shared))


def test_a_bucket(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path, training_runs_at="s3://bucket/runs/", s3_endpoint_url="http://127.0.0.1:9"
    )
    storage = run_storage_of(settings, "10.0.0.1:6379")
    assert storage.path == "bucket/runs"
    assert storage.arguments()["storage_filesystem"].type_name == "s3"
    assert pickle.loads(pickle.dumps(storage)).path == storage.path


@pytest.mark.parametrize("url", ["gs://bucket", "s3://", "file://other/folder"])
def test_another_place_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(InvalidInput, match="QUORUM_TRAINING_RUNS"):
        run_storage_of(Settings(home=tmp_path, training_runs_at=url), None)


def test_a_file_is_no_place_for_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(InvalidInput, match=r"QUORUM_TRAINING_RUNS: .* a file, not a folder"):
        run_storage_of(Settings(home=tmp_path, training_runs_at=str(tmp_path / "runs")), None)


def test_what_a_run_left_is_removed(tmp_path: Path) -> None:
    storage = RunStorage.local(tmp_path / "runs")
    run = storage.under("xgboost-1")
    assert run.name == "xgboost-1"
    (Path(run.path) / "checkpoint").mkdir(parents=True)
    run.remove()
    run.remove()  # nothing is left
    assert not list((tmp_path / "runs").iterdir())
