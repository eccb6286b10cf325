"""Changes of API keys, as PostgreSQL notes them."""

from __future__ import annotations

import asyncpg
import pytest

from cluster import api_keys
from fraud.access.keys import parse_key
from serve_app.gateway.auth import Authenticator
from serve_app.gateway.errors import Unauthenticated
from serve_app.gateway.key_changes import KeyChanges
from serve_app.gateway.records import Records
from tests.contracts.front import PEPPER


async def test_a_revocation_by_another_process_counts_at_the_next_look(database_url: str) -> None:
    pool = await asyncpg.create_pool(database_url, min_size=1, max_size=2)
    async with pool:
        records = Records(pool, None, lambda: 0)
        authenticator = Authenticator(records.key, PEPPER)
        changes = KeyChanges(records.changed_keys, authenticator.check_again)
        async with pool.acquire() as admin:
            made = [await api_keys.create(admin, PEPPER, tenant="acme", name=name) for name in "ab"]
        await changes.look()
        assert await records.changed_keys(60.0) == []
        for one in made:
            await authenticator.authenticate(one["key"])
        async with pool.acquire() as admin:
            await api_keys.revoke(admin, "acme", made[0]["key_id"])
        await changes.look()
        key = parse_key(made[0]["key"])
        assert key is not None
        assert [changed for changed, _ in await records.changed_keys(60.0)] == [key.key_id]
        with pytest.raises(Unauthenticated):
            await authenticator.authenticate(made[0]["key"])
        await authenticator.authenticate(made[1]["key"])
