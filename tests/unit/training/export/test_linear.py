"""The graph of the logistic model holds no unused constants."""

from __future__ import annotations

from itertools import product

import numpy as np
import onnx
import pytest

from training.export.linear import fit_columns, linear_graph


@pytest.mark.parametrize(("robust", "steps", "squares"), list(product([False, True], repeat=3)))
def test_every_constant_is_used(robust: bool, steps: bool, squares: bool) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(200, 4)).astype(np.float32)
    x[:, 3] = rng.integers(0, 3, 200)
    x[rng.random(200) < 0.3, 1] = np.nan
    columns = fit_columns(x, (3,), robust=robust, steps=steps, squares=squares)
    width = columns.transform(x).shape[1]
    model = onnx.load_from_string(linear_graph(columns, np.ones(width, np.float32), 0.5, 4))
    used = {name for node in model.graph.node for name in node.input}
    assert {constant.name for constant in model.graph.initializer} <= used


@pytest.mark.parametrize(
    ("robust", "unit"), [(True, 1e-9), (True, 1.0), (True, 1e9), (False, 1.0), (False, 1e9)]
)
def test_a_column_counts_in_any_unit(robust: bool, unit: float) -> None:
    rng = np.random.default_rng(2)
    x = rng.lognormal(size=(400, 3)).astype(np.float32)
    x[:, 1] *= np.float32(unit)
    x[:, 2] = np.float32(unit)  # constant, whatever it is
    columns = fit_columns(x, (), robust=robust)
    assert columns.numeric.tolist() == [0, 1]
    assert 0.5 < columns.transform(x)[:, 1].std() < 5
