"""Imported first by every worker of a node, for its effect: see `RAY_preload_python_modules`."""

from __future__ import annotations

import deployments.serve_changes.after_serve
import deployments.serve_changes.own_address
import deployments.serve_changes.without_pandas  # noqa: F401
