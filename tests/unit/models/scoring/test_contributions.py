"""Contributions, from leaves and from a booster, are those of XGBoost."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xgboost

from fraud.errors import ArtifactRefused
from models.artifact import BOOSTER_FILE, TREES_FILE, Manifest
from models.scoring.contributions import contributions_file, load_contributions
from models.trees import TreeContributions
from training.export.leaves import leaves_of_booster

N = 6
_ABROAD = """
import sys
from pathlib import Path
import numpy as np
from models.artifact import Manifest
from models.scoring.contributions import load_contributions
path = Path(sys.argv[1])
manifest = Manifest("", "", "", "", 6, (), {path.name: ""})
load_contributions(path.parent, manifest)(np.zeros((1, 6), np.float32))
print(sorted({"xgboost", "pandas", "scipy", "sklearn"} & set(sys.modules)))
print("libxgboost" in Path("/proc/self/maps").read_text())
"""


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(1)
    values = rng.normal(size=(400, N)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    return values


@pytest.fixture(scope="module")
def booster(values):
    labels = (np.nan_to_num(values[:, 0]) + np.nan_to_num(values[:, 1]) > 1).astype(int)
    parameters = {"objective": "binary:logistic", "nthread": 1, "max_depth": 6}
    return xgboost.train(parameters, xgboost.DMatrix(values, labels), 30)


@pytest.fixture(scope="module")
def folder(booster, tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifact")
    leaves = TreeContributions(leaves_of_booster(booster), N)
    (folder / TREES_FILE).write_bytes(leaves.to_bytes())
    booster.save_model(folder / BOOSTER_FILE)
    return folder


def manifest(*files, n_features=N):
    return Manifest("xgboost", "supervised", "onnx", "s1", n_features, (), dict.fromkeys(files, ""))


@pytest.fixture(params=[TREES_FILE, BOOSTER_FILE])
def model(request, folder):
    return load_contributions(folder, manifest(request.param))


def of_package(booster, values):
    return booster.predict(xgboost.DMatrix(values, missing=np.nan), pred_contribs=True)


def test_they_are_those_of_the_package(booster, model, values):
    found = model(values)
    expected = of_package(booster, values)[:, :-1]
    assert found.shape == (400, N)
    assert found.dtype == np.float64
    # The library adds in single precision.
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()


def test_with_the_bias_they_add_up_to_the_margin(booster, model, values):
    margin = booster.predict(xgboost.DMatrix(values, missing=np.nan), output_margin=True)
    assert np.ptp(margin - model(values).sum(axis=1)) < 1e-4


@pytest.mark.parametrize("m", [0, 1, 3])
def test_few_rows_in_any_layout(model, values, m):
    expected = model(values)[:m]
    assert model(values[:m]).tolist() == expected.tolist()
    assert model(np.asfortranarray(values)[:m]).tolist() == expected.tolist()
    assert model(values[: 2 * m : 2]).shape == (m, N)


def test_answers_of_threads_do_not_mix(model, values):
    slices = [values[i : i + 10] for i in range(0, 400, 10)]
    expected = [model(rows).tolist() for rows in slices]
    with ThreadPoolExecutor(4) as threads:
        found = [rows.tolist() for rows in threads.map(model, slices * 5)]
    assert found == expected * 5


@pytest.mark.parametrize("file", [TREES_FILE, BOOSTER_FILE])
def test_another_width_is_refused(folder, file):
    with pytest.raises(ArtifactRefused, match="6 features, not of 7"):
        load_contributions(folder, manifest(file, n_features=N + 1))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_half_a_file_is_refused(folder, tmp_path, share):
    body = (folder / TREES_FILE).read_bytes()
    (tmp_path / TREES_FILE).write_bytes(body[: int(share * len(body))])
    with pytest.raises(ArtifactRefused, match="unreadable"):
        load_contributions(tmp_path, manifest(TREES_FILE))


@pytest.mark.parametrize("file", [TREES_FILE, BOOSTER_FILE])
def test_what_is_not_there_or_no_model_is_refused(tmp_path, file):
    with pytest.raises(ArtifactRefused):
        load_contributions(tmp_path, manifest(file))
    (tmp_path / file).write_bytes(b"garbage" * 100)
    with pytest.raises(ArtifactRefused):
        load_contributions(tmp_path, manifest(file))


def test_an_artifact_without_such_a_file_is_refused(tmp_path):
    assert contributions_file(manifest("model.onnx")) is None
    with pytest.raises(ArtifactRefused, match=TREES_FILE):
        load_contributions(tmp_path, manifest("model.onnx"))


def test_a_booster_is_asked_only_where_there_are_no_leaves():
    assert contributions_file(manifest(BOOSTER_FILE, TREES_FILE)) == TREES_FILE
    assert contributions_file(manifest("model.onnx", BOOSTER_FILE)) == BOOSTER_FILE


def test_a_booster_of_several_classes_is_refused(values, tmp_path):
    parameters = {"objective": "multi:softprob", "num_class": 3, "nthread": 1}
    data = xgboost.DMatrix(values, np.arange(400) % 3)
    xgboost.train(parameters, data, 1).save_model(tmp_path / BOOSTER_FILE)
    with pytest.raises(ArtifactRefused, match="shape"):
        load_contributions(tmp_path, manifest(BOOSTER_FILE))


@pytest.mark.parametrize(
    "parameters",
    [
        {"booster": "dart", "rate_drop": 0.5, "seed": 1},
        {"booster": "gblinear"},
        {"max_depth": 12, "min_child_weight": 0},
    ],
)
def test_a_booster_of_any_kind_is_asked(tmp_path, parameters):
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(400, 20)).astype(np.float32)
    data = xgboost.DMatrix(wide, rng.integers(0, 2, 400))
    asked = {"objective": "binary:logistic", "nthread": 1, **parameters}
    booster = xgboost.train(asked, data, 5)
    booster.save_model(tmp_path / BOOSTER_FILE)
    model = load_contributions(tmp_path, manifest(BOOSTER_FILE, n_features=20))
    expected = booster.predict(data, pred_contribs=True)[:, :-1]
    assert np.allclose(model(wide), expected, rtol=0, atol=1e-6)


def test_leaves_need_neither_the_package_nor_the_library(folder):
    command = [sys.executable, "-c", _ABROAD, str(folder / TREES_FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "False"]
