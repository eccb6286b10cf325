"""The programs that run in pods of their own. They import each other by their file names."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.contracts.kubernetes.manifests import KUBERNETES

FOLDER = KUBERNETES / "base" / "programs"


def program(name: str) -> ModuleType:
    """Return the module of a program."""
    if str(FOLDER) not in sys.path:
        sys.path.append(str(FOLDER))
    return importlib.import_module(name)


def client(url: str, account: Path) -> Any:
    """Return the programs' client of an API server."""
    return program("kubernetes_api").KubernetesApi(url, account)
