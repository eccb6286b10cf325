from __future__ import annotations

import pytest

from cluster.embedded import EmbeddedPostgres
from loadtests.bench.offline.durability import MODES, measured, micro_batches


@pytest.mark.parametrize("mode", MODES)
async def test_both_ways_are_measured(
    mode: str, tmp_path, postgres: EmbeddedPostgres, database_url: str
) -> None:
    assert postgres.pid is not None
    found = await measured(tmp_path, database_url, postgres.pid, mode, rows=2, callers=2, appends=5)
    assert (found.mode, found.rows, found.callers) == (mode, 2, 2)
    assert 0 < found.p50_ms <= found.p99_ms
    assert found.cpu_us > 0
    assert found.rows_a_transaction >= 2
    assert list(tmp_path.iterdir()) == [], "everything was shipped"


async def test_each_micro_batch_has_payments_and_decisions_of_its_own() -> None:
    made = await micro_batches(3, 4, "run")
    records = [record for batches in made for batch in batches for record in batch]
    assert len({record.decision_id for record in records}) == 12
    assert len({record.transaction.transaction_id for record in records}) == 12
