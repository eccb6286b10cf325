from __future__ import annotations

import numpy as np
import pytest

from features.compiled import Compiled
from fraud.batch import Int64

STEP = 3


@Compiled
def _step(value: int) -> int:
    return value + STEP


@Compiled
def two_steps(value: int) -> int:
    return _step(_step(value))


@Compiled.to("int64(Array(int64, 1, 'A', readonly=True))")
def total(values: Int64) -> int:
    found = 0
    for value in values:
        found += value
    return found


def kept_as(function: Compiled[[int], int]) -> str:
    machine = Compiled(function._function)._compile()
    return str(machine.py_func.__qualname__)  # type: ignore[attr-defined]


def test_it_may_call_another_one() -> None:
    assert two_steps(1) == 7


def test_stated_types_take_arrays_of_any_layout() -> None:
    values = np.arange(10)
    assert [total(values), total(values[::2]), total(values.reshape(5, 2)[:, 1])] == [45, 20, 25]
    frozen = np.arange(3)
    frozen.flags.writeable = False
    assert total(frozen) == 3


def test_numbers_of_an_earlier_run_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kept_as(two_steps)
    assert kept_as(two_steps) == before
    monkeypatch.setitem(two_steps._function.__globals__, "STEP", 4)
    assert kept_as(two_steps) != before
