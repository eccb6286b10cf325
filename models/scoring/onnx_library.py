"""ONNX Runtime, told to report to nobody before it is loaded."""

from __future__ import annotations

import os
from types import ModuleType

OPT_OUT = "ORT_DISABLE_TELEMETRY"
"""Since 1.29 its wheels send what models they run, and on what machine, to their publisher, unless
this variable is set before they are loaded. They keep a number of the machine in `~/.cache` too."""


def onnx_runtime() -> ModuleType:
    """Return the module `onnxruntime`."""
    os.environ.setdefault(OPT_OUT, "1")
    import onnxruntime

    return onnxruntime  # type: ignore[no-any-return]
