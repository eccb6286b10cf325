"""Runs code of ours around the import of a module, in processes that import it.

Workers without Serve must not pay for importing it, so our changes of Serve wait for its import.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

Around = Callable[[], AbstractContextManager[None]]
_around: dict[str, Around] = {}


def around_import(name: str, around: Around) -> None:
    """Run the module `name` within `around()` when it is imported.

    Args:
        name: the module, which is not imported yet; one registration for each.
        around: returns the context.
    """
    _around[name] = around


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        around = _around.get(name)
        spec = None if around is None else PathFinder.find_spec(name, path)
        if around is None or spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_within(module: ModuleType) -> None:
            with around():
                run(module)

        spec.loader.exec_module = run_within  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder())
