"""Prints the globals that a replica has copies of, one a line.

    python -m tests.contracts.copied_globals PICKLE MODULE ...

Each PICKLE is the class of a deployment, from MODULE.

Run in a process of its own: in one that knows the class already, loading would give it new globals.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType
from typing import Any

from ray import cloudpickle

_CONSTANT = (str, bytes, int, float, bool, type(None), Path)


def copied(pickled: Path, module_name: str) -> set[str]:
    """Return the globals, except constants, of which the methods of the class see a copy."""
    module = importlib.import_module(module_name)
    owner = cloudpickle.loads(pickled.read_bytes())
    return {
        f"{function.__qualname__} sees a copy of {name}"
        for function in _methods(owner, module_name)
        for name, value in function.__globals__.items()
        if not name.startswith("__")
        and getattr(module, name, value) is not value
        and not _constant(value)
    }


def _methods(owner: type, module: str) -> Iterator[FunctionType]:
    for base in owner.__mro__:
        if base.__module__ == module:
            for value in vars(base).values():
                inner = getattr(value, "__func__", value)
                if isinstance(inner, FunctionType):
                    yield inner


def _constant(value: Any) -> bool:
    if isinstance(value, tuple | frozenset):
        return all(_constant(item) for item in value)
    return isinstance(value, _CONSTANT)


if __name__ == "__main__":
    for at in range(1, len(sys.argv), 2):
        print("\n".join(sorted(copied(Path(sys.argv[at]), sys.argv[at + 1]))))
