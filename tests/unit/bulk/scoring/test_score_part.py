"""Scoring a part: what a killed process left is never taken for whole."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from bulk.scoring.score_file import (
    ANOMALY,
    ANOMALY_REFERENCE,
    COUNTS,
    MODEL,
    read_scores,
    write_scores,
)
from bulk.scoring.score_part import score_part
from fraud.errors import ArtifactRefused
from tests.contracts.scored_jobs import column, plan, tabular_model, write_job

CARDS = "cards@0123456789ab"


@pytest.fixture
def model(tmp_path):
    return tabular_model(tmp_path / "models", [column("x"), column("y")], anomaly=True)


def job(folder, **columns):
    return write_job(folder / "job", pa.table(columns))


def test_a_part_gets_a_score_of_every_model_and_forest(tmp_path, model):
    paths = job(tmp_path, x=["1", "2.5", "-3"], y=["0", "0", "1"])
    assert score_part(paths, 0, plan([model], ["x", "y"])) == 3
    found = read_scores(paths.scores(0), 3)
    assert found is not None
    x = np.array([1, 2.5, -3])
    assert found[f"{MODEL}{CARDS}"] == pytest.approx(1 / (1 + np.exp(-x)), abs=1e-6)
    for name in (ANOMALY, ANOMALY_REFERENCE):
        assert found[name].dtype == np.float32
        assert ((found[name] > 0) & (found[name] <= 1)).all()
    assert found[f"{COUNTS}{CARDS}"].shape[1] == 11


@pytest.mark.parametrize("left", ["half", "nothing", "other rows", "text"])
def test_a_damaged_file_of_scores_is_made_again(tmp_path, model, left):
    paths = job(tmp_path, x=["1", "2", "3"], y=["0", "0", "1"])
    planned = plan([model], ["x", "y"])
    score_part(paths, 0, planned)
    whole = read_scores(paths.scores(0), 3)
    body = paths.scores(0).read_bytes()
    if left == "other rows":
        write_scores(paths.scores(0), {ANOMALY: np.zeros(2, np.float32)})
    else:
        torn = {"half": body[: len(body) // 2], "nothing": b"", "text": b"scores"}[left]
        paths.scores(0).write_bytes(torn)
    assert read_scores(paths.scores(0), 3) is None
    score_part(paths, 0, planned)
    again = read_scores(paths.scores(0), 3)
    assert again is not None
    assert whole is not None
    assert again.keys() == whole.keys()
    assert all(np.array_equal(again[name], whole[name]) for name in whole)


def test_a_part_that_is_scored_is_not_scored_again(tmp_path, model):
    paths = job(tmp_path, x=["1"], y=["2"])
    planned = plan([model], ["x", "y"])
    score_part(paths, 0, planned)
    before = paths.scores(0).stat().st_ino
    assert score_part(paths, 0, planned) == 1
    assert paths.scores(0).stat().st_ino == before


def test_a_missing_column_and_a_column_without_values_are_unknown(tmp_path, model):
    absent = job(tmp_path / "absent", x=["1", "2"])
    empty = job(tmp_path / "empty", x=["1", "2"], y=pa.array([None, None], pa.string()))
    found = []
    for paths in (absent, empty):
        score_part(paths, 0, plan([model], ["x", "y"]))
        found.append(read_scores(paths.scores(0), 2))
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
    assert np.isfinite(found[0][ANOMALY]).all()


def test_no_column_of_the_plan_is_in_the_file(tmp_path, model):
    paths = job(tmp_path, other=["1", "2"])
    assert score_part(paths, 0, plan([model], ["x", "y"])) == 2
    found = read_scores(paths.scores(0), 2)
    assert found is not None
    assert found[ANOMALY].tolist() == [0.5, 0.5]


def test_a_damaged_model_is_refused(tmp_path, model):
    paths = job(tmp_path, x=["1"], y=["2"])
    with open(f"{model.model.folder}/model.onnx", "ab") as file:
        file.write(b"x")
    with pytest.raises(ArtifactRefused):
        score_part(paths, 0, plan([model], ["x", "y"]))
    assert not paths.scores(0).exists()
