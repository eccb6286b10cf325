"""The gauges of drift, measured on real decisions by one of several watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from decision_log.readers.drift_gauges import DriftWatch
from fraud.plan import Plan
from models.drift import LARGE, MODERATE
from models.store.location import open_store
from models.store.origin import origin_of
from settings.settings import Settings
from telemetry import metrics
from telemetry.exposition import exposition
from tests.contracts.decisions import PLAN
from tests.contracts.drift import GONE, MOVED, serve_moved, train_champion

Make = Callable[..., DriftWatch]


@pytest.fixture
async def make(database_url: str, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes watches over decisions of which two features have moved; closes them."""
    train_champion(tmp_path / "artifacts")
    await serve_moved(database_url, datetime.now(UTC))
    store = open_store(str(tmp_path / "artifacts"), Settings(home=tmp_path))
    made: list[DriftWatch] = []

    def one(
        plan: Plan | None = PLAN, url: str = database_url, interval_s: float = 60
    ) -> DriftWatch:
        watch = DriftWatch(
            url, "default", lambda: plan, lambda p: origin_of(p, store), interval_s, timeout_s=30
        )
        made.append(watch)
        return watch

    yield one
    for watch in made:
        await watch.close()


async def test_features_that_moved_show_in_the_gauges(make: Make) -> None:
    measured = await make().refresh()
    assert measured is not None
    large = {name for name, psi in measured.features.items() if psi > LARGE}
    assert large == {f"f{MOVED}", f"f{GONE}"}
    assert all(measured.scores[name] < MODERATE for name in PLAN.variants)
    assert set(measured.errors) == {"ensemble", "xgboost", "random-forest", "logistic"}
    assert 2 * measured.errors["ensemble"] < measured.errors["xgboost"]
    lines = exposition().decode().splitlines()
    shown = dict(line.rsplit(" ", 1) for line in lines if line.startswith("fraud_"))
    psi = float(shown[f'fraud_feature_psi{{feature="f{MOVED}"}}'])
    assert psi == pytest.approx(measured.features[f"f{MOVED}"])
    assert float(shown['fraud_score_psi{model="ensemble"}']) > LARGE
    assert float(shown['fraud_calibration_error{model="ensemble"}']) < 0.1
    assert float(shown["fraud_drift_computed_timestamp_seconds"]) > 1.7e9


async def test_one_measures_and_another_takes_over(make: Make) -> None:
    first, second = make(), make()
    assert await first.refresh() is not None
    assert await second.refresh() is None
    assert await first.refresh() is not None
    await first.close()
    # The server lets go of the lock once it has seen the connection end.
    async with asyncio.timeout(60):
        while await second.refresh() is None:  # noqa: ASYNC110 - the server sets no event
            await asyncio.sleep(0.05)


async def test_values_that_are_no_longer_measured_become_nan(make: Make, database_url: str) -> None:
    watch = make()
    assert await watch.refresh() is not None
    connection = await asyncpg.connect(database_url)
    await connection.execute("TRUNCATE decisions, labels")
    await connection.close()
    measured = await watch.refresh()
    assert measured is not None
    assert (measured.features, measured.scores, measured.errors) == ({}, {}, {})
    assert f'fraud_feature_psi{{feature="f{MOVED}"}} NaN' in exposition().decode()


async def test_without_plan_or_database_it_goes_on(make: Make) -> None:
    before = metrics.DRIFT_ERRORS._value.get()
    assert await make(plan=None).refresh() is None
    assert metrics.DRIFT_ERRORS._value.get() == before
    watch = make(url="postgresql://nobody@127.0.0.1:9/none", interval_s=0.01)
    assert await watch.refresh() is None
    assert metrics.DRIFT_ERRORS._value.get() == before + 1
    watch.start()
    assert watch.alive
    await watch.close()
    assert not watch.alive
