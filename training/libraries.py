"""Versions of the libraries that a model is made with, for its record."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("numpy", "onnx", "onnxruntime", "ray", "scikit-learn", "xgboost")


def library_versions() -> dict[str, str]:
    """Return the installed version of each of `LIBRARIES`."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        # Our image has XGBoost without its GPU code: the same release under another name.
        return version(f"{name}-cpu")
