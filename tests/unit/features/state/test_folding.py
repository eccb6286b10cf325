"""Compiled loops over many states: the same bytes as the scalar code, one after the other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.state.entities import KEPT
from features.state.events import Events
from features.store.memory import MemoryStore
from tests.contracts.feature_store import Reference
from tests.contracts.payments import labels_of, payments


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), customers=st.sampled_from([1, 5, 60]))
def test_rows_and_labels_in_their_order(seed: int, customers: int) -> None:
    batch = payments(150, seed, customers=customers, late=0.3)
    labels = labels_of(batch, seed)
    clock = np.maximum.accumulate(np.array(batch.timestamp_ms))
    before = np.searchsorted(clock, np.array(labels.known_at_ms))
    rising = np.argsort(before, kind="stable")
    labels, before = labels.take(rising.tolist()), before[rising]
    reference, store = Reference(), MemoryStore()
    for start, stop in ((0, 90), (90, 150)):
        last = stop == len(batch)
        mine = np.flatnonzero((before >= start) & ((before < stop) | last))
        part = batch.slice(start, stop)
        learnt = labels.take(mine.tolist())
        observation = store.observe(Events.of(part), learnt, before[mine] - start)
        done: set[str] = set(batch.transaction_id[:start])
        for i in range(stop - start + last):
            reference.learn(labels.take(np.flatnonzero(before == start + i).tolist()))
            if start + i == len(batch):
                break
            one = Events.of(part.slice(i, i + 1))
            repeated = part.transaction_id[i] in done
            done.add(part.transaction_id[i])
            expected = reference.look(one) if repeated else reference.observe(one)[0]
            for name, state in expected.items():
                assert observation.states[name][i] == state, (start + i, name)
    for (name, tenant, identity), state in reference.states.items():
        assert store.state(name, (tenant, identity)) == bytes(state), (name, identity)
    assert {name for name, _, _ in reference.states} == {entity.name for entity in KEPT}
