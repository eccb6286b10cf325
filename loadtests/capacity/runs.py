"""Measured runs: what a cluster did under a load. Made by `measure` and `check`, kept as JSON."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

CLOSED, OPEN = "closed", "open"


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """One run.

    Attributes:
        mode: `CLOSED`: `amount` connections that always have a request in flight; `OPEN`: `amount`
            requests a second.
        amount: see `mode`.
        nodes: serving nodes.
        cores: processors of the machine that nodes, stores and client shared.
        other_cores: cores that other work on that machine kept busy meanwhile.
        per_s: decisions a second.
        p50_ms, p90_ms, p99_ms: latency of a request.
        rows: mean rows of a micro-batch.
        cpu_ms: role -> processor time a decision above idling, milliseconds, all processes of the
            role together; `client` is the load generator.
        stage_ms: stage -> mean milliseconds, see `fraud/stage.py`; empty if unknown.
    """

    mode: str
    amount: int
    nodes: int
    cores: float
    other_cores: float
    per_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    rows: float
    cpu_ms: dict[str, float]
    stage_ms: dict[str, float]

    @property
    def name(self) -> str:
        """The load as text."""
        return f"{self.amount} connections" if self.mode == CLOSED else f"{self.amount} req/s"


def read_runs(text: bytes) -> list[MeasuredRun]:
    """Return the runs of a JSON document.

    Raises:
        msgspec.ValidationError: it holds something else.
    """
    return msgspec.json.decode(text, type=list[MeasuredRun])
