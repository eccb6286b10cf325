"""Where a micro-batch spends its time: the names of its stages, and a stopwatch for them.

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
| `reply` | encoding the decisions and writing them to the socket |
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from fraud.decision import Vote

PARSE, AUTH, LIMIT, WAIT = "parse", "auth", "limit", "wait"
FEATURES, REDIS, ASSEMBLE = "features", "redis", "assemble"
VOTES, COMBINE, EXPLAIN, LOG = "votes", "combine", "explain", "log"
REPLY = "reply"


class Stages:
    """A stopwatch with laps. `ms` maps stages to milliseconds, in the order in which they ended."""

    __slots__ = ("_last_ns", "ms")

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last_ns = time.perf_counter_ns()

    def lap(self, stage: str) -> None:
        """Count the time since the last lap as `stage`."""
        now_ns = time.perf_counter_ns()
        self.ms[stage] = (now_ns - self._last_ns) / 1e6
        self._last_ns = now_ns

    def within(self, parts_ms: dict[str, float]) -> None:
        """Add times that were measured elsewhere within the last lap."""
        self.ms.update(parts_ms)

    def votes(self, votes: Iterable[Vote]) -> None:
        """Add the time of each variant that answered."""
        for vote in votes:
            if vote.scores is not None:
                self.ms[f"variant:{vote.variant}"] = vote.elapsed_ms
