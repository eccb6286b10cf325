"""A journal holds the state of the scalar code, however it is cut into bases and events."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.state.entities import ENTITIES, KEPT, ROLES, Entity
from features.state.events import Events
from features.state.fold_layout import FOLD_LAYOUT
from features.state.folding import EVENT_WORDS, Words, events_of, fold
from features.state.journal import (
    DAY_AT,
    EVENT_BYTES,
    aside_of,
    events_in,
    head,
    journal_of,
    labels_of,
    transaction_of,
    with_lengths,
)
from features.state.rings import SATURATION
from features.state.snapshot import N_ROLES, Snapshot
from features.state.state import empty
from features.state.windows import DAY_MS
from fraud.payment.batch import Int64, TransactionBatch
from tests.contracts.feature_store import Reference
from tests.contracts.payments import labels_of as label_events_of
from tests.contracts.payments import payments

Name = tuple[str, str, str]


def places_of(events: Events, names: dict[Name, int]) -> Int64:
    """Which journal each row touches in each role; new ones get the next number."""
    places = np.full((len(events), N_ROLES), -1, dtype=np.int64)
    for r, role in enumerate(ROLES):
        for i, identity in enumerate(events.ids[role.name]):
            if identity is not None:
                name = (role.entity.name, events.tenant[i], identity)
                places[i, r] = names.setdefault(name, len(names))
    return places


class Shelf:
    """Journals that get rows, labels and new bases."""

    def __init__(self, most_events: int) -> None:
        self.names: dict[Name, int] = {}
        self.journals: list[bytes] = []
        self.most_events = most_events
        self.rebased = 0

    def observe(self, batch: TransactionBatch) -> Snapshot:
        events = Events.of(batch)
        places = places_of(events, self.names)
        kinds = [entity for entity, _, _ in self.names]
        new = [journal_of(empty(entity_of(kind))) for kind in kinds[len(self.journals) :]]
        self.journals += new
        fresh = np.ones(len(events), dtype=np.bool_)
        added, starts, _ = events_of(
            places, fresh, events.numbers, events.hashes, len(self.journals)
        )
        states = Snapshot.none(len(events))
        bases, ends = fold(
            FOLD_LAYOUT,
            np.frombuffer(b"".join(self.journals), dtype=np.uint32),
            np.array([len(journal) // 4 for journal in self.journals]),
            np.array([KEPT.index(entity_of(kind)) for kind in kinds]),
            places,
            fresh,
            events.numbers,
            events.hashes,
            states.records.view(np.uint32),
            states.present,
            self.most_events,
        )
        for k in range(len(self.journals)):
            self.journals[k] += added[starts[k] : starts[k + 1]].tobytes()
            self._rebase(k, bases[ends[k] : ends[k + 1]])
        return states

    def _rebase(self, k: int, base: Words) -> None:
        if len(base):
            day = self.journals[k][DAY_AT : DAY_AT + 4]
            self.journals[k] = head(len(base)) + day + base.tobytes()
            self.rebased += 1

    def state(self, name: Name) -> bytes:
        """Read by a row that is not added."""
        entity, journal = entity_of(name[0]), self.journals[self.names[name]]
        states = Snapshot.none(1)
        places = np.full((1, N_ROLES), -1, dtype=np.int64)
        role = next(r for r, role in enumerate(ROLES) if role.entity is entity)
        places[0, role] = 0
        fold(
            FOLD_LAYOUT,
            np.frombuffer(journal, dtype=np.uint32),
            np.array([len(journal) // 4]),
            np.array([KEPT.index(entity)]),
            places,
            np.zeros(1, dtype=np.bool_),
            np.zeros((1, 6), dtype=np.int64),
            np.zeros((1, 4), dtype=np.uint32),
            states.records.view(np.uint32),
            states.present,
            10**6,
        )
        found = states[ROLES[role].name][0]
        assert found is not None
        return found


def entity_of(name: str) -> Entity:
    return next(entity for entity in KEPT if entity.name == name)


@pytest.mark.parametrize("most_events", [1, 5, 10**6])
@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 2**32 - 1), customers=st.sampled_from([1, 5, 60]))
def test_journals_hold_the_state_of_the_scalar_code(
    most_events: int, seed: int, customers: int
) -> None:
    batch = payments(120, seed, customers=customers, late=0.3, duplicate=0.0)
    reference, shelf = Reference(), Shelf(most_events)
    for start in range(0, len(batch), 40):
        part = batch.slice(start, start + 40)
        states = shelf.observe(part)
        for i, expected in enumerate(reference.observe(Events.of(part))):
            for name, state in expected.items():
                assert states[name][i] == state, (start + i, name)
        labels = label_events_of(part, seed, corrected=0.5)
        reference.learn(labels)
        for entity, tenant, identity, event in labels_of(labels):
            shelf.journals[shelf.names[entity.name, tenant, identity]] += event
    for name, wanted in reference.states.items():
        assert shelf.state(name) == bytes(wanted), name
    assert (shelf.rebased > 0) == (most_events < 10**6)


@given(
    words=st.lists(
        st.one_of(st.just(0), st.just(0), st.integers(0, 2**32 - 1)),
        max_size=ENTITIES[1].size // 4 - 2,
    )
)
@settings(deadline=None)
def test_any_state_comes_back_from_its_base(words: list[int]) -> None:
    (merchant,) = (entity for entity in KEPT if entity.name == "merchant")
    tail = np.array(words, dtype="<u4").tobytes()
    state = (20_000 * DAY_MS).to_bytes(8, "little") + tail
    state += bytes(merchant.size - len(state))
    shelf = Shelf(1)
    shelf.names, shelf.journals = {("merchant", "t", "m"): 0}, [journal_of(state)]
    assert shelf.state(("merchant", "t", "m")) == state
    assert int.from_bytes(shelf.journals[0][DAY_AT : DAY_AT + 4], "little") == 20_000


def test_an_empty_state_is_a_head_and_nothing_else() -> None:
    assert all(len(journal_of(empty(entity))) == DAY_AT + 4 for entity in KEPT)
    assert len({journal_of(empty(KEPT[0]))[:8] for _ in range(10)}) == 10


@pytest.mark.parametrize("n", [0, 1, 7])
def test_events_are_counted_after_any_base(n: int) -> None:
    state = (20_000 * DAY_MS).to_bytes(8, "little") + bytes(KEPT[0].size - 8)
    for base in (journal_of(state), journal_of(empty(KEPT[0]))):
        assert events_in(base + bytes(n * EVENT_BYTES)) == n


def test_the_largest_numbers_go_into_an_event_and_back() -> None:
    one = payments(1, seed=3)
    one.amount_minor[0] = SATURATION
    shelf, reference = Shelf(10**6), Reference()
    events = Events.of(one)
    for again in range(2):
        states = shelf.observe(one)
        (wanted,) = reference.observe(events)
        assert {name: states[name][0] for name in wanted} == wanted, again


def test_a_row_that_is_put_aside_says_whose_it_is() -> None:
    event = bytes(range(EVENT_BYTES))
    aside = aside_of(event, ("täglich", "id-1"))
    assert aside[:EVENT_BYTES] == event
    assert transaction_of(aside) == ("täglich", "id-1")
    assert with_lengths([b"ab", b""]) == b"\x02\x00\x00\x00ab\x00\x00\x00\x00"
    assert EVENT_BYTES == EVENT_WORDS * 4 == 48  # as install.lua knows it
