"""The `MLmodel` file and input example of a model, from which MLflow shows its signature."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from typing import Any

import numpy as np

from fraud.payment.batch import Float32, Float64
from training.export.fitted import Fitted

EXAMPLE_ROWS = 5
EXAMPLE_FILE = "input_example.json"
LOADER_MODULE = "training.registry.mlflow_model"


def model_file(
    fitted: Fitted, names: Sequence[str], features: Float32, scores: Float64, run_id: str
) -> str:
    """An `MLmodel` document with the signature of a model whose files lie beside it.

    `mlflow.pyfunc` loads the model with its calibration, as served; `mlflow.onnx` loads only the
    graph, which gives raw scores.

    Args:
        names: n_features names of columns.
        features: float32[k, n_features], from which the example is made.
        scores: float64[k] calibrated scores of these rows.
    """
    import pandas as pd
    from mlflow.models import Model, infer_signature

    # MLflow converts narrower numbers to the wider ones of a signature, but not back.
    example = pd.DataFrame(features.astype(np.float64), columns=list(names))
    model = Model(
        artifact_path="artifact",
        run_id=run_id,
        signature=infer_signature(example, scores),
        saved_input_example_info={
            "artifact_path": EXAMPLE_FILE,
            "type": "dataframe",
            "pandas_orient": "split",
        },
    )
    model.add_flavor(
        "python_function",
        loader_module=LOADER_MODULE,
        python_version=platform.python_version(),
    )
    model.add_flavor("quorum", manifest="manifest.json", runtime=fitted.runtime)
    if fitted.runtime == "onnx":
        model.add_flavor("onnx", data="model.onnx")
    text: str = model.to_yaml()
    return text


def input_example(names: Sequence[str], features: Float32) -> dict[str, Any]:
    """The first rows of float32[k, n_features], as pandas' `split` form; null where unknown."""
    rows = features[:EXAMPLE_ROWS].tolist()
    data = [[None if math.isnan(cell) else cell for cell in row] for row in rows]
    return {"columns": list(names), "data": data}
