"""Functions that numba compiles to machine code: loops over the bytes and numbers of many rows.

They compile on first use: numba and LLVM take a hundred megabytes, and only processes that call
such a function pay for them. Machine code is cached beside the source, or in the user's cache if
that folder is read-only, so that a machine compiles once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar, cast
from zlib import crc32

import numpy as np

Number = Any
"""A number in such a function: mypy does not know which types numba mixes."""

signed: Any = np.int64
"""Convert an element of an array to a signed number."""

P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """Decorator of a module's function that is compiled when it is first called.

    It may call other such functions of its own module, and only the Python that numba supports.
    Integer arithmetic wraps as NumPy's does; floats follow IEEE 754, and nothing is reordered.
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

        # Numba must see machine code behind the names of other compiled functions.
        called = {name: f._machine or f._compile() for name, f in self._called().items()}
        code, known = self._function.__code__, {**self._function.__globals__, **called}
        function = FunctionType(code, known, self.__name__)
        function.__module__ = self._function.__module__
        # The name of its cache entry: numba itself only checks whether the source has changed.
        digest = crc32(repr(sorted(self._numbers().items())).encode())
        function.__qualname__ = f"{self._function.__qualname__}.{digest:08x}"
        options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
        try:
            self._machine = numba.njit(cache=True, **options)(function)
        except RuntimeError:  # there is no folder to cache it in
            self._machine = numba.njit(**options)(function)
        assert self._machine is not None
        return self._machine

    def _called(self) -> dict[str, Compiled[..., Any]]:
        """The compiled functions that it calls, by name."""
        return {name: v for name, v in self._globals().items() if isinstance(v, Compiled)}

    def _numbers(self) -> dict[str, Any]:
        """The global numbers that it and its callees use: cached machine code holds the values of
        the run that compiled it."""
        known = {n: v for n, v in self._globals().items() if isinstance(v, int | float)}
        for name, function in self._called().items():
            known |= {f"{name}.{n}": v for n, v in function._numbers().items()}
        return known

    def _globals(self) -> dict[str, Any]:
        names, known = self._function.__code__.co_names, self._function.__globals__
        return {name: known[name] for name in names if name in known}


def machine_code(function: Callable[P, R]) -> Callable[P, R]:
    """The machine code of a compiled function or of a `partial` of one, which skips the check
    whether it is compiled yet; any other function unchanged."""
    if isinstance(function, partial):
        return partial(machine_code(function.func), *function.args, **function.keywords)
    if isinstance(function, Compiled):
        return function._machine or function._compile()
    return function
