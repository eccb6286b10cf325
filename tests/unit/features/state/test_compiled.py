from __future__ import annotations

import pytest

from features.state.compiled import Compiled

STEP = 3


@Compiled
def _step(value: int) -> int:
    return value + STEP


@Compiled
def two_steps(value: int) -> int:
    return _step(_step(value))


def kept_as(function: Compiled[[int], int]) -> str:
    machine = Compiled(function._function)._compile()
    return str(machine.py_func.__qualname__)  # type: ignore[attr-defined]


def test_it_may_call_another_one() -> None:
    assert two_steps(1) == 7


def test_numbers_of_an_earlier_run_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    before = kept_as(two_steps)
    assert kept_as(two_steps) == before
    monkeypatch.setitem(two_steps._function.__globals__, "STEP", 4)
    assert kept_as(two_steps) != before
