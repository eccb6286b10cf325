"""What the decision log has done so far. Each counter only grows; each has one writer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class LogStats:
    """Counters of one DecisionLog since its start.

    Attributes:
        appended_rows: records made durable on this machine.
        appended_bytes: what they take in segments.
        refused_rows: records that could not be made durable: their decisions were not given.
        commits: group commits (one sync each).
        commit_seconds: time spent in them.
        shipped_rows: records in PostgreSQL, own and taken over.
        own_shipped_rows: of those appended here, the ones that have left the log.
        ship_batches: transactions on PostgreSQL.
        ship_errors: attempts that PostgreSQL did not answer or refused as a whole.
        dead_letters: records that PostgreSQL will not have, set aside.
        damaged_bytes: bytes that cannot be read, between frames or before the next segment.
        torn_bytes: bytes after the last intact frame of a segment whose writer died.
        taken_over: folders of dead writers that were shipped.
    """

    appended_rows: int = 0
    appended_bytes: int = 0
    refused_rows: int = 0
    commits: int = 0
    commit_seconds: float = 0.0
    shipped_rows: int = 0
    own_shipped_rows: int = 0
    ship_batches: int = 0
    ship_errors: int = 0
    dead_letters: int = 0
    damaged_bytes: int = 0
    torn_bytes: int = 0
    taken_over: int = 0
