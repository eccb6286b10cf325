"""The time of the writing reaches the record."""

from __future__ import annotations

import asyncio

import pytest

from decision_log import write_times
from decision_log.entry import MAX_ROWS, decode, encode
from decision_log.write_times import WriteTimes
from tests.contracts.decisions import decision_records, gathered


def measured(n: int, prefix: str = "t"):
    (batch,) = gathered(decision_records(n, prefix))
    batch.decisions.stage_ms = {"votes": 1.5}
    return batch


async def test_an_entry_that_was_read_early_waits_for_the_end_of_its_writing():
    batch, known = measured(1), WriteTimes()
    written = known.begin(batch)
    (entry,) = encode(batch)
    read = decode(entry)
    assert read.decisions.stage_ms == {"votes": 1.5}
    filling = asyncio.create_task(known.fill_in(read))
    await asyncio.sleep(0)
    assert not filling.done()
    written.set()
    batch.decisions.stage_ms["log"] = 0.25
    await filling
    assert read.decisions.stage_ms == {"votes": 1.5, "log": 0.25}


async def test_each_entry_of_a_long_batch_is_filled_in():
    batch, known = measured(2 * MAX_ROWS + 1), WriteTimes()
    known.begin(batch).set()
    entries = list(map(decode, encode(batch)))
    batch.decisions.stage_ms["log"] = 0.25
    for read in entries:
        await known.fill_in(read)
        assert read.decisions.stage_ms["log"] == 0.25
        known.forget(read)
    assert not known._writing


async def test_forgotten_entries_stay_as_they_were_read():
    read = measured(1)
    await WriteTimes().fill_in(read)
    assert read.decisions.stage_ms == {"votes": 1.5}


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(write_times, "MAX_ENTRIES", 3)
    known = WriteTimes()
    batches = [measured(1, f"b{i}-") for i in range(5)]
    for batch in batches:
        known.begin(batch).set()
    assert len(known._writing) == 3
    known.forget(batches[-1])
    assert len(known._writing) == 2
