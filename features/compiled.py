"""Functions that numba turns into machine code: loops over bytes and numbers of many rows.

Lazily: numba and LLVM take a hundred megabytes of a process, and only those that call such a
function pay for it. What was compiled is kept beside the source (or, where that cannot be written,
in the user's cache), so that a machine compiles once.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, cast

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

        function = self._function
        called = {
            name: value._machine or value._compile()
            for name in function.__code__.co_names
            if isinstance(value := function.__globals__.get(name), Compiled)
        }
        if called:
            # As numba sees it, the names of other compiled functions stand for their machine code.
            known = {**function.__globals__, **called}
            linked = FunctionType(function.__code__, known, function.__name__)
            linked.__module__, linked.__qualname__ = function.__module__, function.__qualname__
            function = linked
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
        try:
            self._machine = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # there is no place to keep it
            self._machine = numba.njit(**options)(function)
        assert self._machine is not None
        return self._machine
