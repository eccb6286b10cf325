"""The scripts of deploy/, which are no packages."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from tests.contracts.root import ROOT


def script(path: str) -> ModuleType:
    """Return the module of a script, by its path in the repository."""
    file = ROOT / path
    spec = importlib.util.spec_from_file_location(f"deploy_{Path(path).stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
