"""Ray Serve without pandas. Imported for its effect, before `ray.serve` is.

`ray.serve._private.utils` imports pandas if it is installed, for an encoder of data frames that
Quorum does not use: 40 MB in every process of Serve. It is installed, as training needs it. This
module hides pandas from that one import; later imports find it.

Every worker imports it first (`deployments/preload.py`). If a later Serve imports pandas elsewhere,
nothing breaks, but the memory is used again; `tests/unit/deployments/test_without_pandas.py` fails.
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
        # None makes Python's import fail.
        sys.modules[WITHHELD] = None  # type: ignore[assignment]
        try:
            self._loader.exec_module(module)
        finally:
            del sys.modules[WITHHELD]


sys.meta_path.insert(0, _Finder())
