"""Where a micro-batch's time goes: the names of its stages, once, and a stopwatch for them.

In the order in which they pass. Each is a label of `fraud_stage_seconds` and a key of `stage_ms`.

| stage | |
|---|---|
| `parse` | the body read and checked |
| `auth` | the key looked up |
| `limit` | the key's rate limits asked |
| `wait` | in the coalescer, for a lane |
| `features` | the call to FeatureFetch, of which |
| `redis`, `assemble` | are the round trip to Redis and the making of features from it |
| `votes` | until every variant answered, or the deadline, of which |
| `variant:<name>` | is how long one variant took |
| `combine` | votes to decisions |
| `explain` | reasons of what is not approved |
| `log` | until the disk has the records |
| `reply` | decisions to bytes, and those to the socket |
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
    """A stopwatch with laps. `ms` is stage -> milliseconds, in the order in which they ended."""

    __slots__ = ("_last_ns", "ms")

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last_ns = time.perf_counter_ns()

    def lap(self, stage: str) -> None:
        """Everything since the last lap was `stage`."""
        now_ns = time.perf_counter_ns()
        self.ms[stage] = (now_ns - self._last_ns) / 1e6
        self._last_ns = now_ns

    def within(self, parts_ms: dict[str, float]) -> None:
        """What somebody else measured within the last lap."""
        self.ms.update(parts_ms)

    def votes(self, votes: Iterable[Vote]) -> None:
        """How long each variant took that answered."""
        for vote in votes:
            if vote.scores is not None:
                self.ms[f"variant:{vote.variant}"] = vote.elapsed_ms
