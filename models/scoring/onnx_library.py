"""ONNX Runtime, loaded with its telemetry switched off."""

from __future__ import annotations

import os
from types import ModuleType

OPT_OUT = "ORT_DISABLE_TELEMETRY"
"""Since 1.29 its wheels report to their publisher which models they run on which machine, unless
this variable is set before they are loaded. They also keep an id of the machine in `~/.cache`."""


def onnx_runtime() -> ModuleType:
    """Return the module `onnxruntime`."""
    os.environ.setdefault(OPT_OUT, "1")
    import onnxruntime

    return onnxruntime  # type: ignore[no-any-return]
