"""Imported first by every worker of a node, for its effect: see `RAY_preload_python_modules`."""

from __future__ import annotations

import deployments.after_serve
import deployments.own_address
import deployments.without_pandas  # noqa: F401
