"""Milliseconds by stage, as decisions show them and as records hold them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

GATEWAY_STAGES: Final = frozenset({"auth", "parse", "limit", "wait"})
"""Stages that the gateway times for each request; the others belong to a micro-batch."""

_VARIANT: Final = "variant:"


def thousandths(value: float) -> float:
    """Return a number >= 0 to three decimals, halves up. Takes a third of the time of `round`.

    >>> thousandths(1.23456)
    1.235
    """
    return int(value * 1000 + 0.5) / 1000


def decision_stages(stage_ms: dict[str, float]) -> dict[str, float]:
    """Return a micro-batch's stages as its decisions show them: rounded, without the gateway's."""
    return {k: thousandths(ms) for k, ms in stage_ms.items() if k not in GATEWAY_STAGES}


def compact_stages(stage_ms: dict[str, float], variants: Sequence[str]) -> dict[str, float]:
    """Return stages as a stored record names them: `variant:<name>` becomes the index of its vote.

    The votes hold the names already, and shorter records fit one more decision on each page.

    >>> compact_stages({"votes": 2.0, "variant:logistic": 1.5}, ["xgboost", "logistic"])
    {'votes': 2.0, '1': 1.5}
    """
    places = {f"{_VARIANT}{name}": str(i) for i, name in enumerate(variants)}
    return {places.get(stage, stage): ms for stage, ms in stage_ms.items()}


def expanded_stages(stage_ms: dict[str, float], variants: Sequence[str]) -> dict[str, float]:
    """Invert `compact_stages`."""
    names = {str(i): f"{_VARIANT}{name}" for i, name in enumerate(variants)}
    return {names.get(stage, stage): ms for stage, ms in stage_ms.items()}
