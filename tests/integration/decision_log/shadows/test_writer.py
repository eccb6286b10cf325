"""What shadows would have decided, in PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest

from decision_log.shadows import writer
from decision_log.shadows.writer import ShadowWriter
from fraud.errors import StoreUnavailable
from fraud.shadow_decision import ShadowDecision
from tests.contracts.decisions import DECIDED_AT_MS
from tests.contracts.ports import free_ports

VOTES = [{"variant": "logistic", "version": "0" * 12, "status": "ok", "score": 0.25}]


def decision(number: int, shadow: str) -> ShadowDecision:
    """A decision of a shadow on the payment of this number."""
    decision_id = str(UUID(int=number))
    told = (2, 0.25, VOTES, 5.5)
    return ShadowDecision("acme", decision_id, DECIDED_AT_MS, "default", 3, shadow, *told)


async def kept(database_url: str, shadow: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url)
    try:
        found: list[asyncpg.Record] = await connection.fetch(
            "SELECT * FROM shadow_decisions WHERE shadow = $1 ORDER BY decision_id", shadow
        )
        return found
    finally:
        await connection.close()


async def test_decisions_are_kept_once(database_url: str) -> None:
    shadows = ShadowWriter(database_url, timeout_s=10)
    shadows.offer([decision(i, "once") for i in range(5)])
    await shadows.flush()
    shadows.offer([decision(i, "once") for i in range(3, 7)])
    await shadows.close()
    rows = await kept(database_url, "once")
    assert [row["decision_id"].int for row in rows] == list(range(7))
    assert (rows[0]["tenant"], rows[0]["outcome"], rows[0]["elapsed_ms"]) == ("acme", "review", 5.5)
    assert json.loads(rows[0]["votes"]) == VOTES


async def test_what_postgresql_refuses_holds_up_nothing_else(database_url: str) -> None:
    shadows = ShadowWriter(database_url, timeout_s=10)
    decisions = [decision(i, "refused") for i in range(20)]
    decisions[7] = replace(decisions[7], votes=[{"score": float("inf")}])
    decisions[8] = replace(decisions[8], plan="\0")
    shadows.offer(decisions)
    await shadows.flush()
    shadows.offer([decision(20, "refused")])
    await shadows.close()
    rows = await kept(database_url, "refused")
    assert [row["decision_id"].int for row in rows] == [*range(7), *range(9, 21)]


async def test_while_postgresql_is_away_the_newest_are_dropped(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 10)
    shadows = ShadowWriter(f"postgresql://q@127.0.0.1:{free_ports(1)[0]}/q", timeout_s=2)
    for i in range(12):
        shadows.offer([decision(i, "away")])
    with pytest.raises(StoreUnavailable):
        await shadows.flush()
    monkeypatch.setattr(shadows, "_url", database_url)
    await shadows.close()
    assert len(await kept(database_url, "away")) == 10
