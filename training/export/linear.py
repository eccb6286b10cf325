"""Columns for a linear model: chosen from training rows, and as ONNX nodes for serving."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

from fraud.payment.batch import Float32, Float64, Int64
from models.linear import CLIP, Columns, signed_log
from training.export.graph import INPUT, model_bytes, probability_nodes

_MAX_CODES = 64
# Where steps lie: fraud is in the tails, mostly in the upper ones.
_LEVELS = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998)
_IQR_OF_NORMAL = 1.349
_ROUNDING = 1e-6
"""Share of a float32 column's largest value: a column that spreads by less is constant."""
_SMALLEST_SPREAD = 1e-30  # one over it is still a float32
_BY_COLUMN = "by_column"


def fit_columns(
    x: Float32,
    categorical: tuple[int, ...],
    *,
    robust: bool = False,
    steps: bool = False,
    squares: bool = False,
) -> Columns:
    """Choose columns and scales from training rows float32[n, n_features].

    Args:
        categorical: column numbers of integer codes.
        robust: scale features as they are by median and quartiles, not logs by mean and deviation.
        steps, squares: whether to add such columns.
    """
    absent = np.isnan(x)
    seen = np.asarray(~absent.all(axis=0))
    numeric = np.array([i for i in range(x.shape[1]) if i not in categorical and seen[i]], np.int64)
    median = np.nanmedian(x[:, numeric], axis=0).astype(np.float32)
    filled = np.where(absent[:, numeric], median, x[:, numeric])
    centre, spread = _robust(filled) if robust else _moments(signed_log(filled))
    varies = _varies(spread, filled if robust else signed_log(filled))
    numeric = numeric[varies]
    stepped, edge = _edges(x, numeric) if steps else _NO_COLUMNS
    coded, code = _codes(x, [c for c in categorical if seen[c]])
    return Columns(
        numeric=numeric,
        median=median[varies],
        mean=centre[varies].astype(np.float32),
        scale=(1 / spread[varies]).astype(np.float32),
        logs=not robust,
        squares=squares,
        stepped=stepped,
        edge=edge,
        missing=_distinct_patterns(absent),
        coded=coded,
        code=code,
    )


def _moments(x: Float32) -> tuple[Float64, Float64]:
    return x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)


def _robust(x: Float32) -> tuple[Float64, Float64]:
    """Median, and the deviation estimated from the quartiles; for columns that are mostly one
    value, the deviation itself."""
    lower, middle, upper = np.quantile(x, (0.25, 0.5, 0.75), axis=0)
    spread = (upper - lower) / _IQR_OF_NORMAL
    return middle, np.where(_varies(spread, x), spread, x.std(axis=0, dtype=np.float64))


def _varies(spread: Float64, x: Float32) -> NDArray[np.bool_]:
    """Whether columns spread by more than the rounding of their own values, however small these
    are."""
    rounding = _ROUNDING * np.abs(x).max(axis=0, initial=0.0)
    return np.asarray(spread > np.maximum(rounding, _SMALLEST_SPREAD))


_NO_COLUMNS = np.zeros(0, np.int64), np.zeros(0, np.float32)


def _edges(x: Float32, numeric: Int64) -> tuple[Int64, Float32]:
    """The distinct quantiles of known values that some value exceeds."""
    stepped, edges = [_NO_COLUMNS[0]], [_NO_COLUMNS[1]]
    for column in numeric:
        known = x[~np.isnan(x[:, column]), column]
        edge = np.unique(np.quantile(known, _LEVELS, method="lower"))
        edge = edge[edge < known.max()].astype(np.float32)
        stepped.append(np.full(edge.size, column, np.int64))
        edges.append(edge)
    return np.concatenate(stepped), np.concatenate(edges)


def _distinct_patterns(absent: NDArray[np.bool_]) -> Int64:
    """Columns with missing values, one for each distinct set of rows: windows of one entity
    go missing together, and equal columns help no linear model."""
    chosen: dict[bytes, int] = {}
    for column in range(absent.shape[1]):
        share = absent[:, column].mean()
        if 0.0005 <= share <= 0.9995:
            chosen.setdefault(np.packbits(absent[:, column]).tobytes(), column)
    return np.array(sorted(chosen.values()), np.int64)


def _codes(x: Float32, categorical: list[int]) -> tuple[Int64, Float32]:
    pairs: list[tuple[int, float]] = []
    for column in categorical:
        values, counts = np.unique(x[~np.isnan(x[:, column]), column], return_counts=True)
        frequent = values[np.argsort(-counts, kind="stable")[:_MAX_CODES]]
        pairs += [(column, float(v)) for v in np.sort(frequent)]
    return (
        np.array([p[0] for p in pairs], np.int64),
        np.array([p[1] for p in pairs], np.float32),
    )


def linear_graph(
    columns: Columns, coefficients: Float32, intercept: float, n_features: int
) -> bytes:
    """ONNX model: logistic of `columns.transform(features) @ coefficients + intercept`."""
    # Columns lie side by side in memory here: each step runs over whole columns.
    vectors = {
        "edge": columns.edge,
        "median": columns.median,
        "mean": columns.mean,
        "scale": columns.scale,
        "code": columns.code,
    }
    constants = {
        **{name: vector.reshape(-1, 1) for name, vector in vectors.items()},
        "numeric": columns.numeric,
        "stepped": columns.stepped,
        "missing": columns.missing,
        "coded": columns.coded,
        "low": np.float32(-CLIP),
        "high": np.float32(CLIP),
        **({"one": np.float32(1)} if columns.logs else {}),
        "coefficients": coefficients.reshape(1, -1).astype(np.float32),
        "intercept": np.float32(intercept),
    }
    nodes = [
        helper.make_node("Transpose", [INPUT], [_BY_COLUMN], perm=[1, 0]),
        *_numeric_nodes(columns.logs, columns.squares),
        _gather("stepped", "stepping"),
        helper.make_node("Greater", ["stepping", "edge"], ["is_above"]),
        helper.make_node("Cast", ["is_above"], ["step_columns"], to=TensorProto.FLOAT),
        _gather("missing", "maybe"),
        helper.make_node("IsNaN", ["maybe"], ["is_missing"]),
        helper.make_node("Cast", ["is_missing"], ["missing_columns"], to=TensorProto.FLOAT),
        _gather("coded", "codes"),
        helper.make_node("Equal", ["codes", "code"], ["is_code"]),
        helper.make_node("Cast", ["is_code"], ["code_columns"], to=TensorProto.FLOAT),
        helper.make_node(
            "Concat",
            [
                "numeric_columns",
                *(["square_columns"] if columns.squares else []),
                "step_columns",
                "missing_columns",
                "code_columns",
            ],
            ["columns"],
            axis=0,
        ),
        helper.make_node("MatMul", ["coefficients", "columns"], ["product"]),
        helper.make_node("Add", ["product", "intercept"], ["margin"]),
        *probability_nodes("margin"),
    ]
    tensors = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    return model_bytes(nodes, n_features, tensors)


def _gather(indices: str, output: str) -> NodeProto:
    return helper.make_node("Gather", [_BY_COLUMN, indices], [output], axis=0)


def _numeric_nodes(logs: bool, squares: bool) -> list[NodeProto]:
    steps = [("IsNaN", ["gathered"], "unknown"), ("Where", ["unknown", "median", "gathered"], "x")]
    if logs:
        steps += [
            ("Sign", ["x"], "sign"),
            ("Abs", ["x"], "size"),
            ("Add", ["size", "one"], "shifted"),
            ("Log", ["shifted"], "log"),
            ("Mul", ["sign", "log"], "signed_log"),
        ]
    steps += [
        ("Sub", ["signed_log" if logs else "x", "mean"], "centred"),
        ("Mul", ["centred", "scale"], "scaled"),
        ("Clip", ["scaled", "low", "high"], "numeric_columns"),
    ]
    if squares:
        steps += [
            ("Mul", ["numeric_columns", "numeric_columns"], "squared"),
            ("Div", ["squared", "high"], "square_columns"),
        ]
    return [
        _gather("numeric", "gathered"),
        *(helper.make_node(op, inputs, [output]) for op, inputs, output in steps),
    ]
