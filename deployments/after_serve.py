"""Imports our changes of Serve after the modules that they change, in processes that import those.

Imported for its effect by every worker, first of all (`deployments/preload.py`). Workers without
Serve must not pay for importing it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

OURS = {
    "ray.serve._private.default_impl": "deployments.placement",
    "ray.serve._private.application_state": "deployments.kept_ingress",
}
"""Module of Serve -> ours that follows it."""


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in OURS:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Followed(spec.loader, OURS[name])
        return spec


class _Followed(Loader):
    """Runs a module, then imports ours."""

    def __init__(self, loader: Loader, ours: str) -> None:
        self._loader = loader
        self._ours = ours

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        importlib.import_module(self._ours)


sys.meta_path.insert(0, _Finder())
for serves, ours in OURS.items():
    if serves in sys.modules:
        importlib.import_module(ours)
