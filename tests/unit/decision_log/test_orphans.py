from __future__ import annotations

import logging

import pytest

from decision_log.disk.backlog import Backlog
from decision_log.disk.frame import frame
from decision_log.disk.segment import SegmentName
from decision_log.entry import encode
from decision_log.orphans import Orphans
from decision_log.shipping.shipper import ShipperConfig
from telemetry.metrics import LogStats
from tests.contracts.decisions import decision_records, gathered

SALT = b"abcd"


class Memory:
    def __init__(self) -> None:
        self.kept: list[str] = []

    async def insert(self, batches) -> int:
        self.kept += [record.decision_id for batch in batches for record in batch]
        return 0

    async def close(self) -> None:
        pass


def leave(folder, records, salt: bytes = SALT) -> None:
    folder.mkdir(exist_ok=True)
    payloads = [payload for batch in gathered(records) for payload in encode(batch)]
    data = b"".join(frame(payload, salt) for payload in payloads)
    (folder / str(SegmentName(1, salt))).write_bytes(data)


async def test_a_folder_that_cannot_be_claimed_does_not_hold_up_others(tmp_path, caplog):
    (tmp_path / "lost+found" / "lock").mkdir(parents=True)  # as root's: no lock can be had there
    records = decision_records(3)
    leave(tmp_path / "orphan", records)
    sink = Memory()
    orphans = Orphans(tmp_path, tmp_path / "own", sink, LogStats(), ShipperConfig())
    with caplog.at_level(logging.WARNING):
        assert await orphans.sweep() == 1
        assert await orphans.sweep() == 0
    assert sink.kept == [r.decision_id for r in records]
    assert not (tmp_path / "orphan").exists()
    assert sum("lost+found" in line for line in caplog.messages) == 1, "said once, not every sweep"


async def test_segments_gathered_in_one_folder_are_all_shipped(tmp_path):
    """Two segments with the same number, and a third that arrives while they are shipped."""
    first, second, third = (decision_records(2, prefix) for prefix in "abc")
    leave(tmp_path / "again", first, b"aaaa")
    leave(tmp_path / "again", second, b"bbbb")
    folder, sink, stats = tmp_path / "again", Memory(), LogStats()
    orphans = Orphans(tmp_path, tmp_path / "own", sink, stats, ShipperConfig())
    is_empty = Backlog.is_empty

    def late(self: Backlog) -> bool:
        leave(folder, third, b"cccc")
        return is_empty(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Backlog, "is_empty", late)
        await orphans.sweep()
    assert sink.kept == [r.decision_id for r in [*first, *second]]
    assert folder.exists()
    await orphans.sweep()
    assert sink.kept == [r.decision_id for r in [*first, *second, *third]]
    assert not folder.exists()
    assert stats.taken_over == 1


async def test_a_folder_with_something_else_in_it_is_shipped_and_stays(tmp_path):
    records = decision_records(2)
    leave(tmp_path / "again", records)
    (tmp_path / "again" / "note").write_text("?")
    sink = Memory()
    orphans = Orphans(tmp_path, tmp_path / "own", sink, LogStats(), ShipperConfig())
    await orphans.sweep()
    await orphans.sweep()
    assert sink.kept == [r.decision_id for r in records]
    assert (tmp_path / "again" / "note").read_text() == "?"
