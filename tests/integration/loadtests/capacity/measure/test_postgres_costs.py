"""Costs of PostgreSQL, measured on a real one."""

from __future__ import annotations

from cluster.embedded import EmbeddedPostgres
from features.definitions import N_FEATURES
from loadtests.capacity.measure.postgres_costs import measure_postgres
from loadtests.payments import Payment
from settings.settings import Settings


async def test_costs_are_of_the_real_sink(
    stores: Settings, payments: list[Payment], postgres: EmbeddedPostgres
) -> None:
    assert postgres.pid is not None
    found = await measure_postgres(stores, payments, postgres.pid, loaded=2000, turns=1)
    features = 4 * N_FEATURES
    assert features < found.table_bytes < 10 * features
    assert 50 < found.index_bytes < 5000
    # Payment, customer, merchant, device, counterparty; and the decision's payment.
    assert found.random_indexes == 6
    assert found.wal_bytes.row > found.table_bytes / 2
    assert features < found.sent_bytes.row < 10 * features
    assert features < found.log_bytes < 5 * features
    assert 1 < found.cpu_us.row < 5000
    assert found.took_ms.of(500) > found.took_ms.of(1) > 0
