"""The decision log: a record is on this machine's disk before its decision is answered, and in
PostgreSQL soon after.

    append -> wal (group commit) -> segment files -> backlog -> shipper -> record sink (PostgreSQL)

With `database` durability the answer waits for PostgreSQL, too (`arrivals.py`).

Each writer has a folder under one root; see docs/adr/0003-decision-log.md. Independent of Ray.
"""
