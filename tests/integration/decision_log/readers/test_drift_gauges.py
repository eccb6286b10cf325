"""The gauges of drift, measured on real decisions by one of several watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from decision_log.readers.drift_gauges import MOST_OWNERS, DriftWatch, Measured
from fraud.plan import Plan
from fraud.variant import HOUSE
from models.drift import LARGE, MODERATE
from models.store.location import open_store
from models.store.origin import origin_of
from settings.settings import Settings
from telemetry import metrics
from telemetry.exposition import exposition
from tests.contracts.decisions import PLAN
from tests.contracts.drift import GONE, MOVED, serve_moved, train_champion
from training.registry.owned_plan import owned_plan

Make = Callable[..., DriftWatch]
ADD_KEY = """
INSERT INTO api_keys (key_id, tenant, name, hash) VALUES ($1, $1, 'test', ''::bytea)
ON CONFLICT DO NOTHING
"""
HOUSE_ALONE = {HOUSE: PLAN}
MINE = owned_plan(PLAN, "mine")


@pytest.fixture
async def make(database_url: str, tmp_path: Path) -> AsyncIterator[Make]:
    """Makes watches over decisions of which two features have moved; closes them."""
    train_champion(tmp_path / "artifacts")
    await serve_moved(database_url, datetime.now(UTC))
    store = open_store(str(tmp_path / "artifacts"), Settings(home=tmp_path))
    made: list[DriftWatch] = []

    def one(
        plans: Mapping[str, Plan] = HOUSE_ALONE, url: str = database_url, interval_s: float = 60
    ) -> DriftWatch:
        watch = DriftWatch(
            url, "default", lambda: plans, lambda p: origin_of(p, store), interval_s, timeout_s=30
        )
        made.append(watch)
        return watch

    yield one
    for watch in made:
        await watch.close()


async def test_features_that_moved_show_in_the_gauges(make: Make) -> None:
    found = await make().refresh()
    assert found is not None
    measured = found[HOUSE]
    large = {name for name, psi in measured.features.items() if psi > LARGE}
    assert large == {f"f{MOVED}", f"f{GONE}"}
    assert all(measured.scores[name] < MODERATE for name in PLAN.variants)
    assert set(measured.errors) == {"ensemble", "xgboost", "random-forest", "logistic"}
    assert 2 * measured.errors["ensemble"] < measured.errors["xgboost"]
    lines = exposition().decode().splitlines()
    shown = dict(line.rsplit(" ", 1) for line in lines if line.startswith("fraud_"))
    psi = float(shown[f'fraud_feature_psi{{feature="f{MOVED}",owner=""}}'])
    assert psi == pytest.approx(measured.features[f"f{MOVED}"])
    assert float(shown['fraud_score_psi{model="ensemble",owner=""}']) > LARGE
    assert float(shown['fraud_calibration_error{model="ensemble",owner=""}']) < 0.1
    assert float(shown["fraud_drift_computed_timestamp_seconds"]) > 1.7e9


async def test_each_plan_is_measured_against_its_own_training(
    make: Make, database_url: str, tmp_path: Path
) -> None:
    train_champion(tmp_path / "artifacts", "mine", shift=2.0)
    now = datetime.now(UTC)
    await serve_moved(database_url, now, "mine", MINE, fresh=False, moved=4)
    connection = await asyncpg.connect(database_url)
    await connection.execute(ADD_KEY, "mine")
    await connection.close()
    found = await make({HOUSE: PLAN, "mine": MINE}).refresh()
    assert found is not None
    assert found.keys() == {HOUSE, "mine"}
    assert found[HOUSE].features["f4"] < MODERATE  # mine's decisions are not among the house's
    moved = {
        owner: {n for n, psi in m.features.items() if psi > LARGE} for owner, m in found.items()
    }
    assert moved[HOUSE] == {f"f{MOVED}", f"f{GONE}"}
    # Mine learnt from payments two higher, so that all its features have moved, and f4 less so.
    assert len(moved["mine"]) > 10
    assert found["mine"].features["f4"] < found["mine"].features["f1"]
    assert set(found["mine"].scores) == {"ensemble", *PLAN.variants}
    assert set(found["mine"].errors) == {"ensemble", *PLAN.voters}
    shown = exposition().decode()
    assert f'fraud_feature_psi{{feature="f{MOVED}",owner="mine"}}' in shown
    assert 'fraud_calibration_error{model="xgboost",owner="mine"}' in shown


async def test_a_plan_without_models_does_not_hold_up_the_others(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    before = metrics.DRIFT_ERRORS._value.get()
    watch = make({HOUSE: PLAN, "lost": owned_plan(PLAN, "lost")})
    for _ in range(2):
        found = await watch.refresh()
        assert found is not None
        assert found.keys() == {HOUSE}
    assert metrics.DRIFT_ERRORS._value.get() == before + 2
    assert caplog.text.count("drift of lost is not measured: ArtifactRefused") == 1
    assert await make({"lost": owned_plan(PLAN, "lost")}).refresh() is None


async def test_owners_in_the_metrics_are_few(
    make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    owners = [f"t{i:02}" for i in range(MOST_OWNERS + 2)]
    for owner in owners:
        train_champion(tmp_path / "artifacts", owner, shift=float(owner[1:]) + 0.5)
    plans = {owner: owned_plan(PLAN, owner) for owner in owners}
    found = await make({HOUSE: PLAN, **plans}).refresh()
    assert found is not None
    assert found.keys() == {HOUSE, *owners[:MOST_OWNERS]}
    assert f"drift of {owners[-1]} is not measured: the first {MOST_OWNERS}" in caplog.text


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
    assert measured == {HOUSE: Measured({}, {}, {})}
    assert f'fraud_feature_psi{{feature="f{MOVED}",owner=""}} NaN' in exposition().decode()


async def test_without_plan_or_database_it_goes_on(make: Make) -> None:
    before = metrics.DRIFT_ERRORS._value.get()
    assert await make(plans={}).refresh() is None
    assert metrics.DRIFT_ERRORS._value.get() == before
    watch = make(url="postgresql://nobody@127.0.0.1:9/none", interval_s=0.01)
    assert await watch.refresh() is None
    assert metrics.DRIFT_ERRORS._value.get() == before + 1
    watch.start()
    assert watch.alive
    await watch.close()
    assert not watch.alive
