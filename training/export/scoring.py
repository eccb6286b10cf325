"""Scoring with the exported files, so that evaluation measures what will be served."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraud.payment.batch import Float32, Float64
from models.scoring.onnx_library import onnx_runtime
from training.export.fitted import Fitted
from training.export.graph import INPUT, OUTPUT

_CHUNK_ROWS = 16_384


def raw_scores(fitted: Fitted, values: Float32, threads: int = 1) -> Float64:
    """Raw scores of float32[n, n_features] by the variant's own graph: float64[n]."""
    chunks = [values[i : i + _CHUNK_ROWS] for i in range(0, len(values), _CHUNK_ROWS)]
    session = _session(fitted.files["model.onnx"], threads)
    scores = [session.run([OUTPUT], {INPUT: chunk})[0] for chunk in chunks]
    return np.concatenate([np.zeros(0), *scores]).astype(np.float64)


def _session(graph: bytes, threads: int) -> Any:
    ort = onnx_runtime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
