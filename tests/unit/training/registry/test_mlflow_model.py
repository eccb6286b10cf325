from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.definitions import N_FEATURES, NAMES, SCHEMA_ID
from fraud.errors import ArtifactRefused, InvalidInput
from tests.contracts.artifacts import tiny_artifact
from training.registry.mlflow_model import _load_pyfunc


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    version, _ = tiny_artifact(tmp_path, n_features=N_FEATURES, schema_id=SCHEMA_ID)
    return tmp_path / "xgboost" / version


def test_columns_go_by_their_names_and_scores_are_calibrated(folder: Path) -> None:
    frame = pd.DataFrame(np.zeros((3, N_FEATURES)), columns=list(NAMES))
    frame[NAMES[0]] = [-2.0, 0.0, 2.0]
    found = _load_pyfunc(str(folder)).predict(frame[sorted(NAMES)])
    assert found == pytest.approx(0.5 / (1 + np.exp(-frame[NAMES[0]].to_numpy())))


def test_a_feature_without_a_column_is_named(folder: Path) -> None:
    frame = pd.DataFrame(np.zeros((1, N_FEATURES)), columns=list(NAMES))
    with pytest.raises(InvalidInput, match=f"no column for {NAMES[3]}: 1 are missing"):
        _load_pyfunc(str(folder)).predict(frame.drop(columns=NAMES[3]))


def test_a_file_that_was_changed_is_refused(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"something else")
    with pytest.raises(ArtifactRefused, match="does not match its digest"):
        _load_pyfunc(str(folder))
