from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from training.fit.fitted_run import FittedRun
from training.registry.signature import EXAMPLE_FILE, input_example, model_file


@pytest.mark.parametrize("variant", ["xgboost", "isolation-forest"])
def test_mlflow_reads_signature_and_example(
    fitted_run: FittedRun, variant: str, tmp_path: Path
) -> None:
    from mlflow.models import Model

    model = fitted_run.models[variant]
    names = fitted_run.dataset.schema.names
    features, _, scores = model.golden
    document = model_file(model.fitted, names, features, scores, "run1")
    (tmp_path / "MLmodel").write_text(document, encoding="utf-8")
    example = json.dumps(input_example(names, features), allow_nan=False)
    (tmp_path / EXAMPLE_FILE).write_text(example, encoding="utf-8")
    read = Model.load(str(tmp_path / "MLmodel"))
    assert read.run_id == "run1"
    assert read.signature.inputs.input_names() == list(names)
    assert "onnx" in read.flavors
    shown = read.load_input_example(str(tmp_path))
    assert np.array_equal(shown.to_numpy(np.float32), features[:5], equal_nan=True)
