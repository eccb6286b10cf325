"""Functions that numba turns into machine code: loops over bytes and numbers of many rows.

Lazily: numba and LLVM take a hundred megabytes of a process, and only those that call such a
function pay for it. What was compiled is kept beside the source (or, where that cannot be written,
in the user's cache), so that a machine compiles once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, cast
from zlib import crc32

import numpy as np

Number = Any
"""A number in such a function: mypy does not know which ones numba mixes."""

signed: Any = np.int64
"""An element of an array as a number that may be negative."""

P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """A function that is compiled when it is first called: `@Compiled`, on the module's level.

    It may call other such functions of its own module, and no Python besides what numba knows.
    Integer arithmetic wraps as numpy's does; floats follow IEEE 754, nothing is reordered.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self._function = cast(FunctionType, function)
        self._machine: Callable[P, R] | None = None
        self.__doc__ = function.__doc__
        self.__name__ = self._function.__name__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        machine = self._machine or self._compile()
        return machine(*args, **kwargs)

    def _compile(self) -> Callable[P, R]:
        import numba

        # As numba sees it, the names of other compiled functions stand for their machine code.
        called = {name: f._machine or f._compile() for name, f in self._called().items()}
        code, known = self._function.__code__, {**self._function.__globals__, **called}
        function = FunctionType(code, known, self.__name__)
        function.__module__ = self._function.__module__
        # Where it is kept: numba itself only looks whether the source has changed.
        digest = crc32(repr(sorted(self._numbers().items())).encode())
        function.__qualname__ = f"{self._function.__qualname__}.{digest:08x}"
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
        try:
            self._machine = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # there is no place to keep it
            self._machine = numba.njit(**options)(function)
        assert self._machine is not None
        return self._machine

    def _called(self) -> dict[str, Compiled[..., Any]]:
        """The compiled functions that it calls, by the names it has for them."""
        return {name: v for name, v in self._globals().items() if isinstance(v, Compiled)}

    def _numbers(self) -> dict[str, Any]:
        """The numbers that it, and what it calls, know by name, wherever they are from: machine
        code that is kept from an earlier run does not know those of today."""
        known = {n: v for n, v in self._globals().items() if isinstance(v, int | float)}
        for name, function in self._called().items():
            known |= {f"{name}.{n}": v for n, v in function._numbers().items()}
        return known

    def _globals(self) -> dict[str, Any]:
        names, known = self._function.__code__.co_names, self._function.__globals__
        return {name: known[name] for name in names if name in known}


def machine_code(function: Callable[P, R]) -> Callable[P, R]:
    """A compiled function itself, with or without arguments that it is given before: without what
    it costs to look whether it is compiled yet. Any other function as it is."""
    if isinstance(function, partial):
        return partial(machine_code(function.func), *function.args, **function.keywords)
    if isinstance(function, Compiled):
        return function._machine or function._compile()
    return function
