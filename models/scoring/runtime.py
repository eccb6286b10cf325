"""The libraries that run model files, on one thread: a replica is one core's worth of work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from fraud.errors import ArtifactRefused
from fraud.payment.batch import Float32, Float64
from models.artifact import Manifest
from models.scoring.onnx_library import onnx_runtime

ONNX_FILE = "model.onnx"


class Runtime(Protocol):
    """A model file in memory."""

    def raw(self, values: Float32) -> Float64:
        """float32[n, n_features], C-contiguous, NaN allowed -> float64[n] raw scores."""
        ...


class OnnxRuntime:
    """A scoring graph: `features` float32[n, n_features] -> `score` float32[n]."""

    def __init__(self, path: Path, n_features: int) -> None:
        ort = onnx_runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        # Micro-batches differ in size: an arena would keep a block for each size.
        options.enable_cpu_mem_arena = False
        options.enable_mem_pattern = False
        options.log_severity_level = 3
        self._session = ort.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
        (entry,) = self._session.get_inputs()
        if entry.name != "features" or entry.shape[-1] != n_features:
            raise ArtifactRefused(f"{path.parent.name}: the graph takes {entry.name}{entry.shape}")
        if "score" not in {output.name for output in self._session.get_outputs()}:
            raise ArtifactRefused(f"{path.parent.name}: the graph has no output `score`")

    def raw(self, values: Float32) -> Float64:
        (score,) = self._session.run(["score"], {"features": values})
        return np.asarray(score, dtype=np.float64).reshape(len(values))


def load_runtime(folder: Path, manifest: Manifest) -> Runtime:
    """Load the model file of an artifact into the runtime that its manifest names.

    Raises:
        ArtifactRefused: the runtime is unknown, or the manifest has no digest of its file.
    """
    if manifest.runtime not in _KINDS:
        raise ArtifactRefused(f"{folder.name}: unknown runtime {manifest.runtime!r}")
    name, runtime = _KINDS[manifest.runtime]
    if name not in manifest.files:
        raise ArtifactRefused(f"{folder.name}: no {name}")
    return runtime(folder / name, manifest.n_features)


_KINDS: dict[str, tuple[str, Callable[[Path, int], Runtime]]] = {
    "onnx": (ONNX_FILE, OnnxRuntime),
}
