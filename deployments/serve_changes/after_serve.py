"""Imports our changes of Serve after the modules that they change, in processes that import those.

Imported for its effect by every worker, first of all (`deployments/preload.py`).
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from deployments.serve_changes.around_import import around_import

OURS = {
    "ray.serve._private.default_impl": "deployments.serve_changes.placement",
    "ray.serve._private.application_state": "deployments.serve_changes.kept_ingress",
}
"""Module of Serve -> ours that follows it."""


@contextmanager
def _followed_by(ours: str) -> Iterator[None]:
    yield
    importlib.import_module(ours)


for serves, ours in OURS.items():
    if serves in sys.modules:
        importlib.import_module(ours)
    else:
        around_import(serves, partial(_followed_by, ours))
