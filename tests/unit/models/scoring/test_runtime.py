"""The runtimes, on graphs as training exports them."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import helper
from sklearn.ensemble import IsolationForest

from fraud.errors import ArtifactRefused
from models.scoring.runtime import OnnxRuntime
from training.export.graph import model_bytes
from training.export.isolation import isolation_graph
from training.export.linear import signed_log


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(1).normal(size=(200, 4)).astype(np.float32)


def test_a_forest_gives_what_scikit_learn_gives(values, tmp_path):
    forest = IsolationForest(n_estimators=20, random_state=1).fit(signed_log(values))
    (tmp_path / "model.onnx").write_bytes(isolation_graph(forest, np.zeros(4, np.float32)))
    raw = OnnxRuntime(tmp_path / "model.onnx", 4).raw(values)
    assert raw.dtype == np.float64
    native = -forest.score_samples(signed_log(values))
    assert raw.tolist() == pytest.approx(native.tolist(), abs=1e-6)
    with pytest.raises(ArtifactRefused):
        OnnxRuntime(tmp_path / "model.onnx", 5)


def test_a_graph_of_another_input_is_refused(tmp_path):
    node = helper.make_node("ReduceSum", ["features"], ["score"], keepdims=0)
    graph = model_bytes([node], 4).replace(b"features", b"whatever")
    (tmp_path / "model.onnx").write_bytes(graph)
    with pytest.raises(ArtifactRefused, match="whatever"):
        OnnxRuntime(tmp_path / "model.onnx", 4)
