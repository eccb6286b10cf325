"""Writers of decision logs, in processes of their own to be killed; what must hold afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import asyncpg

from tests.contracts.root import ROOT

WRITER = ROOT / "tests" / "integration" / "decision_log" / "writer.py"
NO_DATABASE = "postgresql://nobody:nothing@127.0.0.1:1/none"
"""The address of a PostgreSQL that never answers: all that is appended stays in the log."""


def start_writer(root: Path, url: str, owner: str, *more: str) -> subprocess.Popen[str]:
    """Start `writer.py`, which appends until it is killed or its standard input ends."""
    return subprocess.Popen(
        [sys.executable, str(WRITER), str(root), url, owner, *more],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
    )


def kill(writer: subprocess.Popen[str]) -> list[str]:
    """Kill -9. Returns the ids that it printed."""
    writer.kill()
    told, _ = writer.communicate()
    return [line for line in told.splitlines() if len(line) == 36]


async def assert_exactly_once(url: str, told: list[str]) -> None:
    """Check that every decision that was told is in PostgreSQL, and nothing is there twice."""
    assert len(told) == len(set(told))
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT decision_id::text, count(*) FROM decisions GROUP BY 1"
        )
        found = {row[0]: row[1] for row in rows}
        assert set(told) <= set(found), f"{len(set(told) - set(found))} of {len(told)} are lost"
        assert set(found.values()) <= {1}
        doubled = await connection.fetchval(
            "SELECT count(*) FROM (SELECT 1 FROM transactions"
            " GROUP BY tenant, transaction_id, occurred_at HAVING count(*) > 1) AS d"
        )
        assert doubled == 0
        orphaned = await connection.fetchval(
            "SELECT count(*) FROM decisions d WHERE NOT EXISTS (SELECT 1 FROM transactions t"
            " WHERE (t.tenant, t.transaction_id) = (d.tenant, d.transaction_id))"
        )
        assert orphaned == 0
    finally:
        await connection.close()
