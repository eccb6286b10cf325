"""Contributions, by tables and by the library's C interface, are those of XGBoost's own Python."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import xgboost

from fraud.errors import ArtifactRefused
from models.scoring.contributions import ContributionModel

N = 6
_ABROAD = """
import sys
from pathlib import Path
import numpy as np
from models.scoring.contributions import ContributionModel
ContributionModel(Path(sys.argv[1]), 6)(np.zeros((1, 6), np.float32))
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
def path(booster, tmp_path_factory):
    path = tmp_path_factory.mktemp("artifact") / "model.ubj"
    booster.save_model(path)
    return path


@pytest.fixture(params=[True, False], ids=["tables", "library"])
def model(request, path, monkeypatch):
    if not request.param:
        monkeypatch.setattr("models.scoring.shapley.MOST_BYTES", 0)
    model = ContributionModel(path, N)
    assert model.looked_up is request.param
    return model


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


def test_another_width_is_refused(path):
    with pytest.raises(ArtifactRefused, match="another width"):
        ContributionModel(path, N + 1)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_half_a_file_is_refused(path, tmp_path, share):
    body = path.read_bytes()
    broken = tmp_path / "model.ubj"
    broken.write_bytes(body[: int(share * len(body))])
    with pytest.raises(ArtifactRefused, match="unreadable"):
        ContributionModel(broken, N)


def test_what_is_not_there_or_no_model_is_refused(tmp_path):
    with pytest.raises(ArtifactRefused):
        ContributionModel(tmp_path / "none.ubj", N)
    (tmp_path / "model.ubj").write_bytes(b"garbage" * 100)
    with pytest.raises(ArtifactRefused):
        ContributionModel(tmp_path / "model.ubj", N)


def test_a_model_of_several_classes_is_refused(values, tmp_path):
    parameters = {"objective": "multi:softprob", "num_class": 3, "nthread": 1}
    data = xgboost.DMatrix(values, np.arange(400) % 3)
    xgboost.train(parameters, data, 1).save_model(tmp_path / "model.ubj")
    with pytest.raises(ArtifactRefused):
        ContributionModel(tmp_path / "model.ubj", N)


@pytest.mark.parametrize(
    "parameters",
    [
        {"booster": "dart", "rate_drop": 0.5, "seed": 1},
        {"booster": "gblinear"},
        {"max_depth": 12, "min_child_weight": 0},
    ],
)
def test_what_has_no_tables_is_asked_of_the_library(tmp_path, parameters):
    rng = np.random.default_rng(1)
    wide = rng.normal(size=(400, 20)).astype(np.float32)
    data = xgboost.DMatrix(wide, rng.integers(0, 2, 400))
    asked = {"objective": "binary:logistic", "nthread": 1, **parameters}
    booster = xgboost.train(asked, data, 5)
    booster.save_model(tmp_path / "model.ubj")
    model = ContributionModel(tmp_path / "model.ubj", 20)
    assert not model.looked_up
    expected = booster.predict(data, pred_contribs=True)[:, :-1]
    assert np.allclose(model(wide), expected, rtol=0, atol=1e-6)


def test_tables_need_neither_the_package_nor_the_library(path):
    done = subprocess.run(
        [sys.executable, "-c", _ABROAD, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["[]", "False"]
