"""Tiny references are trained once, listed in the table, and used by nothing that serves."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from fraud.variant import HOUSE
from models.store.location import store_of
from references.catalogue import visible
from references.library import Library
from references.reference import StoredReference
from settings.settings import Settings
from tests.contracts.small_references import populate_tiny, tiny_recipes


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, database_url=SecretStr(database_url))


def stored(database_url: str) -> list[StoredReference]:
    async def read() -> list[StoredReference]:
        connection = await asyncpg.connect(database_url)
        try:
            return await visible(connection, HOUSE)
        finally:
            await connection.close()

    return asyncio.run(read())


def test_both_kinds_are_trained_once(settings: Settings, database_url: str) -> None:
    names = ("wallet-topups-0", "payments")
    first = populate_tiny(settings, *names)
    assert [(p.name, p.state, p.why) for p in first] == [(name, "trained", "") for name in names]
    assert [p.state for p in populate_tiny(settings, *names)] == ["unchanged", "unchanged"]
    found = {one.reference.name: one for one in stored(database_url)}
    assert set(found) == set(names)
    kinds = {recipe.name: recipe.kind for recipe in tiny_recipes()}
    library = Library(store_of(settings))
    for name, one in found.items():
        reference = one.reference
        assert (reference.kind, reference.owner) == (kinds[name], HOUSE)
        assert reference.anomaly_model is not None
        assert abs(sum(column.importance for column in reference.columns) - 1) < 0.01
        sketch = library.sketch(one)
        assert 500 < sketch.num_rows <= 2_000
        assert set(sketch.column_names) == {column.name for column in reference.columns}
    assert found["wallet-topups-0"].reference.metrics["roc_auc"] > 0.75
