"""API keys: which are accepted, for how long without a look-up, and without a store."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fraud.access.keys import ApiKey, hash_key, new_key
from fraud.access.scopes import ALL_SCOPES
from fraud.errors import StoreUnavailable
from serve_app.gateway import auth
from serve_app.gateway.auth import Authenticator, KeyRecord, Principal
from serve_app.gateway.errors import InsufficientScope, Unauthenticated
from tests.contracts.front import KEY, PEPPER

pytestmark = pytest.mark.virtual_time

SCOPES = ("decide", "read")
RECORD = KeyRecord(KEY.key_id, "acme", "standard", SCOPES, hash_key(PEPPER, KEY), None, None)


class Store:
    """A key table and a clock."""

    def __init__(self) -> None:
        self.records = {KEY.key_id: RECORD}
        self.asked = 0
        self.error: Exception | None = None
        self.now = 1000.0
        self.wall = 1_772_366_400.0
        self.authenticator = Authenticator(self.find, PEPPER, lambda: self.now, lambda: self.wall)

    async def find(self, key_id: str) -> KeyRecord | None:
        self.asked += 1
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return self.records.get(key_id)

    async def enter(self, key: ApiKey = KEY) -> Principal:
        return await self.authenticator.authenticate(str(key))


@pytest.fixture
def store() -> Store:
    return Store()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_valid_key_is_looked_up_once(store: Store) -> None:
    assert await store.enter() == Principal(KEY.key_id, "acme", "standard", frozenset(SCOPES))
    for _ in range(100):
        await store.enter()
    assert store.asked == 1


async def test_many_at_once_share_a_look_up(store: Store) -> None:
    await asyncio.gather(*(store.enter() for _ in range(50)))
    assert store.asked == 1


async def test_a_caller_that_leaves_does_not_cancel_the_look_up_of_others(store: Store) -> None:
    first, second = (asyncio.create_task(store.enter()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).tenant == "acme"


async def test_a_busy_key_is_looked_up_in_the_background(store: Store) -> None:
    await store.enter()
    store.now += auth.FRESH_S * 0.7
    await store.enter()
    await settle()
    assert store.asked == 2
    store.now += auth.FRESH_S * 0.6
    await store.enter()
    await settle()
    assert store.asked == 2


async def test_a_revoked_key_is_refused_within_the_time_promised(store: Store) -> None:
    await store.enter()
    store.records[KEY.key_id] = replace(RECORD, revoked_at=datetime.now(UTC))
    store.now += auth.FRESH_S
    with pytest.raises(Unauthenticated):
        await store.enter()


async def test_a_key_may_do_what_its_scopes_name_and_nothing_else(store: Store) -> None:
    principal = await store.enter()
    principal.require("decide")
    principal.require("read")
    for scope in ("label", "plans", "admin"):
        with pytest.raises(InsufficientScope) as refused:
            principal.require(scope)
        assert refused.value.scope == scope


async def test_an_administrator_may_do_everything(store: Store) -> None:
    store.records[KEY.key_id] = replace(RECORD, scopes=["admin"])
    principal = await store.enter()
    for scope in ALL_SCOPES:
        principal.require(scope)


def test_a_principal_made_without_scopes_may_do_nothing() -> None:
    for scope in ALL_SCOPES:
        with pytest.raises(InsufficientScope):
            Principal("k", "acme", "standard").require(scope)


async def test_a_change_of_scopes_applies_within_the_time_promised(store: Store) -> None:
    (await store.enter()).require("decide")
    store.records[KEY.key_id] = replace(RECORD, scopes=["label"])
    store.now += auth.FRESH_S
    principal = await store.enter()
    principal.require("label")
    with pytest.raises(InsufficientScope):
        principal.require("decide")


async def test_a_busy_key_gets_its_new_scopes_without_waiting(store: Store) -> None:
    await store.enter()
    store.records[KEY.key_id] = replace(RECORD, scopes=["plans"])
    store.now += auth.FRESH_S * 0.7
    assert (await store.enter()).scopes == frozenset(SCOPES)
    await settle()
    assert (await store.enter()).scopes == {"plans"}


async def test_a_key_expires_to_the_second_whatever_is_remembered(store: Store) -> None:
    ends = datetime.fromtimestamp(store.wall + 10, UTC)
    store.records[KEY.key_id] = replace(RECORD, expires_at=ends)
    await store.enter()
    store.wall += 10
    with pytest.raises(Unauthenticated):
        await store.enter()


async def test_the_right_id_with_a_wrong_secret_is_refused(store: Store) -> None:
    with pytest.raises(Unauthenticated):
        await store.enter(ApiKey(KEY.key_id, "w" * 43))
    assert (await store.enter()).tenant == "acme"


async def test_a_refused_key_is_remembered_for_a_little_while(store: Store) -> None:
    stranger = new_key()
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            await store.enter(stranger)
    assert store.asked == 1
    store.records[stranger.key_id] = KeyRecord(
        stranger.key_id, "late", "standard", SCOPES, hash_key(PEPPER, stranger), None, None
    )
    store.now += auth.REFUSED_S
    assert (await store.enter(stranger)).tenant == "late"


async def test_a_malformed_key_is_never_looked_up(store: Store) -> None:
    for credential in ("", "qk_", "\xff\xfe", "x" * 10_000, "qk_abcdefghijkm_short"):
        with pytest.raises(Unauthenticated):
            await store.authenticator.authenticate(credential)
    assert store.asked == 0


async def test_without_a_store_known_keys_are_valid_and_unknown_ones_are_errors(
    store: Store,
) -> None:
    await store.enter()
    store.error = OSError("down")
    store.now += auth.FRESH_S + 1
    assert (await store.enter()).tenant == "acme"
    with pytest.raises(StoreUnavailable):
        await store.enter(new_key())
    asked = store.asked
    for _ in range(100):
        await store.enter()
    await settle()
    # Not every request pays for a store that is down.
    assert store.asked == asked
    store.now += auth.RETRY_S
    await store.enter()
    await settle()
    assert store.asked == asked + 1


async def test_no_key_is_valid_for_ever_without_a_store(store: Store) -> None:
    await store.enter()
    store.error = OSError("down")
    store.now += auth.FRESH_S
    await store.enter()
    store.now += auth.STALE_S
    with pytest.raises(StoreUnavailable):
        await store.enter()
    store.error = None
    assert (await store.enter()).tenant == "acme"


async def test_a_store_that_is_back_counts_again(store: Store) -> None:
    await store.enter()
    store.error = OSError("down")
    store.now += auth.FRESH_S
    await store.enter()
    store.error = None
    store.records.clear()
    store.now += auth.RETRY_S
    await store.enter()
    await settle()
    with pytest.raises(Unauthenticated):
        await store.enter()


async def test_memory_is_bounded_and_guessed_keys_evict_no_valid_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "MAX_REFUSED", 20)
    await store.enter()
    for _ in range(100):
        with pytest.raises(Unauthenticated):
            await store.enter(new_key())
    asked = store.asked
    await store.enter()
    assert store.asked == asked
    assert len(store.authenticator._refused) == 20


async def test_a_store_that_hangs_is_waited_for_briefly(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "LOOKUP_TIMEOUT_S", 0.02)

    async def hang(_: str) -> None:
        await asyncio.sleep(10)

    authenticator = Authenticator(hang, PEPPER)  # type: ignore[arg-type]
    async with asyncio.timeout(1):
        with pytest.raises(StoreUnavailable):
            await authenticator.authenticate(str(KEY))


class Crowd(Store):
    """Look-ups of all keys but one hang until `answer` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = asyncio.Event()

    async def find(self, key_id: str) -> KeyRecord | None:
        if key_id != KEY.key_id:
            await self.answer.wait()
        return await super().find(key_id)

    async def strangers(self, number: int) -> list[asyncio.Task[Principal]]:
        tasks = [asyncio.create_task(self.enter(new_key())) for _ in range(number)]
        await settle()
        return tasks

    async def leave(self, tasks: list[asyncio.Task[Principal]]) -> None:
        self.answer.set()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_guessing_keys_does_not_delay_look_ups_of_valid_ones() -> None:
    store = Crowd()
    await store.enter()
    tasks = await store.strangers(50)
    store.now += auth.FRESH_S
    assert (await store.enter()).tenant == "acme"
    assert store.asked == 2
    # A revocation is noticed, too.
    store.records[KEY.key_id] = replace(RECORD, revoked_at=datetime.now(UTC))
    store.now += auth.FRESH_S
    with pytest.raises(Unauthenticated):
        await store.enter()
    await store.leave(tasks)


async def test_more_unknown_keys_than_can_be_looked_up_are_refused_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auth, "MAX_UNKNOWN_KEYS", 5)
    monkeypatch.setattr(auth, "LOOKUP_TIMEOUT_S", 60.0)
    store = Crowd()
    tasks = await store.strangers(5)
    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable):
            await store.enter()
    await store.leave(tasks)
    assert (await store.enter()).tenant == "acme"


def test_memory_holds_no_secret(store: Store) -> None:
    asyncio.run(store.enter())
    assert KEY.secret not in repr(vars(store.authenticator))


async def test_a_changed_key_is_looked_up_before_it_is_accepted_again(store: Store) -> None:
    await store.enter()
    store.records[KEY.key_id] = replace(RECORD, revoked_at=datetime.now(UTC))
    store.authenticator.check_again({"another"})
    await store.enter()
    store.authenticator.check_again({KEY.key_id})
    with pytest.raises(Unauthenticated):
        await store.enter()


async def test_a_changed_key_stays_valid_while_it_cannot_be_looked_up(store: Store) -> None:
    await store.enter()
    store.error = OSError()
    store.authenticator.check_again({KEY.key_id})
    await store.enter()


async def test_a_look_up_from_before_a_change_counts_once_at_most(store: Store) -> None:
    found, told = store.find, asyncio.Event()

    async def slow(key_id: str) -> KeyRecord | None:
        record = await found(key_id)
        await told.wait()
        return record

    store.authenticator = Authenticator(slow, PEPPER, lambda: store.now, lambda: store.wall)
    entering = asyncio.create_task(store.enter())
    await settle()
    store.records[KEY.key_id] = replace(RECORD, revoked_at=datetime.now(UTC))
    store.authenticator.check_again({KEY.key_id})
    told.set()
    await entering
    store.now += 0.01
    with pytest.raises(Unauthenticated):
        await store.enter()
