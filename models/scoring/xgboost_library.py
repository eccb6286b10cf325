"""Contributions by XGBoost's C interface: what its own Python calls, without that Python.

`import xgboost` brings pandas, SciPy and scikit-learn along, 100 MB that a replica has no other
use for. The interface is documented as stable: https://xgboost.readthedocs.io/en/stable/c.html.
"""

from __future__ import annotations

import ctypes
import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from fraud.errors import ArtifactRefused
from fraud.payment.batch import Float32, Float64

_DENSE = json.dumps({"missing": float("nan"), "nthread": 1}).encode()
_CONTRIBUTIONS = json.dumps(
    {
        "type": 2,
        "training": False,
        "iteration_begin": 0,
        "iteration_end": 0,
        "strict_shape": False,
    }
).encode()


class LibraryError(RuntimeError):
    """What the library says went wrong."""


class LibraryModel:
    """A model in the library's memory. Safe from several threads.

    Args:
        path: a whole model: the library may end the process on one that is cut off.
        n_features: how many columns it takes.

    Raises:
        LibraryError: it cannot be read.
    """

    def __init__(self, path: Path, n_features: int) -> None:
        self._n_features = n_features
        self._handle = ctypes.c_void_p()
        self._library = _library()
        self._do("XGBoosterCreate", None, ctypes.c_uint64(0), ctypes.byref(self._handle))
        self._do("XGBoosterSetParam", self._handle, b"nthread", b"1")
        self._do("XGBoosterLoadModel", self._handle, str(path).encode())

    def __call__(self, values: Float32) -> Float64:
        """float32[m, n_features], C-contiguous, m > 0 -> float64[m, n_features].

        Raises:
            LibraryError: the model gives no such contributions.
        """
        rows = ctypes.c_void_p()
        self._do("XGDMatrixCreateFromDense", _interface(values), _DENSE, ctypes.byref(rows))
        try:
            found = self._predicted(rows)
        finally:
            self._do("XGDMatrixFree", rows)
        if found.shape != (len(values), self._n_features + 1):
            raise LibraryError("contributions of another shape")
        return found[:, :-1].astype(np.float64)

    def __del__(self) -> None:
        if self._handle:
            self._library.XGBoosterFree(self._handle)

    def _predicted(self, rows: ctypes.c_void_p) -> Float32:
        shape, dimensions = ctypes.POINTER(ctypes.c_uint64)(), ctypes.c_uint64()
        result = ctypes.POINTER(ctypes.c_float)()
        self._do(
            "XGBoosterPredictFromDMatrix",
            *(self._handle, rows, _CONTRIBUTIONS),
            *(ctypes.byref(shape), ctypes.byref(dimensions), ctypes.byref(result)),
        )
        # The library writes the next answer of this thread into the same place.
        return np.ctypeslib.as_array(result, shape[: dimensions.value]).copy()

    def _do(self, function: str, *arguments: Any) -> None:
        if getattr(self._library, function)(*arguments):
            raise LibraryError(self._library.XGBGetLastError().decode(errors="replace"))


def _interface(values: Float32) -> bytes:
    """Where an array lies, in the words of NumPy's array interface."""
    described = values.__array_interface__
    wanted = {name: described[name] for name in ("data", "shape", "typestr", "version")}
    return json.dumps(wanted).encode()


@cache
def _library() -> ctypes.CDLL:
    """The library of the installed package, whose Python is not run."""
    package = find_spec("xgboost")
    folders = package.submodule_search_locations if package is not None else None
    found = [p for folder in folders or () for p in Path(folder).glob("lib/libxgboost.*")]
    if not found:
        raise ArtifactRefused("contributions need the package xgboost")
    library = ctypes.CDLL(str(found[0]))
    library.XGBGetLastError.restype = ctypes.c_char_p
    return library
