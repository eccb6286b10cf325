"""Where a micro-batch spends its time: the names of its stages, and their milliseconds as decisions
show them and as records hold them.

The stages in order. Each is a label of `fraud_stage_seconds` and a key of `stage_ms`.

| stage | time spent on |
|---|---|
| `parse` | reading and checking the body |
| `auth` | looking up the key |
| `limit` | checking the key's rate limits |
| `wait` | waiting in the coalescer for a lane |
| `features` | the call to FeatureFetch |
| `redis`, `assemble` | within it: the round trip to Redis, and computing features |
| `votes` | waiting until every variant has answered, or for the deadline |
| `variant:<name>` | within it: one variant |
| `combine` | turning votes into decisions |
| `explain` | reasons of decisions that are not approve |
| `log` | waiting until the records are on disk |
| `database` | waiting until they are in PostgreSQL, if `QUORUM_LOG_DURABILITY` is `database` |
| `reply` | encoding the decisions and writing them to the socket |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

PARSE, AUTH, LIMIT, WAIT = "parse", "auth", "limit", "wait"
FEATURES, REDIS, ASSEMBLE = "features", "redis", "assemble"
VOTES, COMBINE, EXPLAIN, LOG = "votes", "combine", "explain", "log"
DATABASE, REPLY = "database", "reply"
VARIANT: Final = "variant:"
"""The stage of a variant begins with this."""

GATEWAY_STAGES: Final = frozenset({AUTH, PARSE, LIMIT, WAIT})
"""Stages that the gateway times for each request; the others belong to a micro-batch."""


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
    places = {f"{VARIANT}{name}": str(i) for i, name in enumerate(variants)}
    return {places.get(stage, stage): ms for stage, ms in stage_ms.items()}


def expanded_stages(stage_ms: dict[str, float], variants: Sequence[str]) -> dict[str, float]:
    """Invert `compact_stages`."""
    names = {str(i): f"{VARIANT}{name}" for i, name in enumerate(variants)}
    return {names.get(stage, stage): ms for stage, ms in stage_ms.items()}
