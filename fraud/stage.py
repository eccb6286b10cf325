"""Times by stage, as a decision tells them and as it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

FRONT_STAGES: Final = frozenset({"auth", "parse", "limit", "wait"})
"""Stages that the front itself times, for each request; the others belong to a micro-batch."""

_VARIANT: Final = "variant:"


def thousandths(value: float) -> float:
    """A number >= 0 to three decimals: a third of what `round` costs, which rounds halves right.

    >>> thousandths(1.23456)
    1.235
    """
    return int(value * 1000 + 0.5) / 1000


def told(stage_ms: dict[str, float]) -> dict[str, float]:
    """A micro-batch's stages as its decisions tell them: rounded, without the front's."""
    return {k: thousandths(ms) for k, ms in stage_ms.items() if k not in FRONT_STAGES}


def abridged(stage_ms: dict[str, float], variants: Sequence[str]) -> dict[str, float]:
    """Stages as a stored record names them: `variant:<name>` is the place of its vote. The names
    are in the votes already, and a decision more on each page of a table is worth it.

    >>> abridged({"votes": 2.0, "variant:logistic": 1.5}, ["xgboost", "logistic"])
    {'votes': 2.0, '1': 1.5}
    """
    places = {f"{_VARIANT}{name}": str(i) for i, name in enumerate(variants)}
    return {places.get(stage, stage): ms for stage, ms in stage_ms.items()}


def spelled_out(stage_ms: dict[str, float], variants: Sequence[str]) -> dict[str, float]:
    """Invert `abridged`."""
    names = {str(i): f"{_VARIANT}{name}" for i, name in enumerate(variants)}
    return {names.get(stage, stage): ms for stage, ms in stage_ms.items()}
