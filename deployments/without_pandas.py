"""Ray Serve without pandas: imported for its effect, before `ray.serve` is.

`ray.serve._private.utils` imports pandas if it is installed, for an encoder of data frames that
nothing here uses: 40 MB in every process of Serve. Training needs the package, so it is installed.
This module has that one import find no pandas; whoever imports it afterwards gets it.

Every worker imports it first (`deployments/preload.py`). Should a later Serve
keep its import elsewhere, nothing breaks and the memory is back.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

IMPORTER = "ray.serve._private.utils"
WITHHELD = "pandas"


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != IMPORTER or WITHHELD in sys.modules:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Withholding(spec.loader)
        return spec


class _Withholding(Loader):
    """Runs a module while the package cannot be found."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Python's own way to say that there is none.
        sys.modules[WITHHELD] = None  # type: ignore[assignment]
        try:
            self._loader.exec_module(module)
        finally:
            del sys.modules[WITHHELD]


sys.meta_path.insert(0, _Finder())
