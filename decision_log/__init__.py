"""The decision log: a record is on this machine's disk before its decision is answered, and in
PostgreSQL soon after.

    append -> wal (group commit) -> segment files -> backlog -> shipper -> ledger (PostgreSQL)

One folder a writer under one root; see docs/adr/0003-decision-log.md. No Ray in here.
"""

from decision_log.lag import Lag
from decision_log.log import DecisionLog
from telemetry.metrics import LogStats

__all__ = ["DecisionLog", "Lag", "LogStats"]
