"""Changes of keys are told to the authenticator once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fraud.errors import StoreUnavailable
from serve_app.gateway.key_changes import LOOK_BACK_S, KeyChanges

AT = datetime(2026, 3, 1, tzinfo=UTC)


async def test_each_change_is_told_once() -> None:
    table, told = {"a": AT}, []

    async def changed(seconds: float) -> list[tuple[str, datetime]]:
        assert seconds == LOOK_BACK_S
        return list(table.items())

    changes = KeyChanges(changed, lambda ids: told.append(set(ids)))
    await changes.look()
    await changes.look()
    table["b"] = AT
    await changes.look()
    table["a"] = AT + timedelta(seconds=1)
    await changes.look()
    assert told == [{"a"}, set(), {"b"}, {"a"}]


async def test_nothing_is_forgotten_while_the_store_is_away() -> None:
    table, told = {"a": AT}, []
    away = False

    async def changed(_: float) -> list[tuple[str, datetime]]:
        if away:
            raise StoreUnavailable("away")
        return list(table.items())

    changes = KeyChanges(changed, lambda ids: told.append(set(ids)))
    await changes.look()
    away = True
    with pytest.raises(StoreUnavailable):
        await changes.look()
    away, table["b"] = False, AT
    await changes.look()
    assert told == [{"a"}, {"b"}]
