"""How far PostgreSQL is behind the decision log."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lag:
    """How far PostgreSQL is behind, and whether decisions can be made.

    Attributes:
        rows: records appended by this process that are not in PostgreSQL yet.
        at_risk_rows: those of `rows` whose decisions were answered: lost if this disk is.
        bytes: size of the segment files on disk, those of an earlier run included.
        seconds: age of the oldest of `rows`, an upper bound; 0.0 if there is none.
        healthy: the log accepts records. Without it no decision can be made.
        shipping: the last batch reached PostgreSQL.
        reason: why it is not healthy or not shipping, None if it is both.
        exposed: why records of answered decisions are on this disk alone for longer than the log's
            durability promises, None if they are not.
    """

    rows: int
    at_risk_rows: int
    bytes: int
    seconds: float
    healthy: bool
    shipping: bool
    reason: str | None
    exposed: str | None
