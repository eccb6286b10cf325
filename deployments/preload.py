"""What every worker of a node imports first, for its effect: by `RAY_preload_python_modules`."""

from __future__ import annotations

import deployments.own_address
import deployments.without_pandas  # noqa: F401
