"""Imports `deployments.placement` after Serve, in processes that import Serve.

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

SERVE = "ray.serve._private.default_impl"
OURS = "deployments.placement"


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != SERVE:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Followed(spec.loader)
        return spec


class _Followed(Loader):
    """Runs a module, then imports ours."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        importlib.import_module(OURS)


if SERVE in sys.modules:
    importlib.import_module(OURS)
else:
    sys.meta_path.insert(0, _Finder())
