"""ONNX Runtime reports to nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from onnx import TensorProto, helper

from tests.contracts.root import ROOT

_LOAD = """
import sys
from pathlib import Path
from models.scoring.runtime import OnnxRuntime
OnnxRuntime(Path(sys.argv[1]), 1)
"""


def test_a_model_that_is_loaded_leaves_nothing_in_the_home(tmp_path: Path) -> None:
    """Its telemetry would keep a database and a number of the machine there."""
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1])
        for name in ("features", "score")
    ]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["features"], ["score"])], "identity", values[:1], values[1:]
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])
    file, home = tmp_path / "model.onnx", tmp_path / "home"
    file.write_bytes(model.SerializeToString())
    home.mkdir()
    # Without variables such as CI, under which it reports nothing.
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    subprocess.run(
        [sys.executable, "-c", _LOAD, str(file)],
        cwd=ROOT,
        env=environment,
        check=True,
        timeout=60,
    )
    assert list(home.rglob("*onnxruntime*")) == []
