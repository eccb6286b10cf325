"""Fitted models as files that never execute code: ONNX graphs."""
