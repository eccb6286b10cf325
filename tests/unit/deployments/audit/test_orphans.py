from __future__ import annotations

import logging

from deployments.audit.entry import encode
from deployments.audit.frame import frame
from deployments.audit.orphans import Orphans
from deployments.audit.segment import SegmentName
from deployments.audit.shipper import Pace
from deployments.audit.stats import LogStats
from tests.contracts.decisions import decision_records, gathered

SALT = b"abcd"


class Memory:
    def __init__(self) -> None:
        self.kept: list[str] = []

    async def insert(self, batches) -> None:
        self.kept += [record.decision_id for batch in batches for record in batch]

    async def close(self) -> None:
        pass


def leave(folder, records) -> None:
    folder.mkdir()
    payloads = [payload for batch in gathered(records) for payload in encode(batch)]
    data = b"".join(frame(payload, SALT) for payload in payloads)
    (folder / str(SegmentName(1, SALT))).write_bytes(data)


async def test_a_folder_that_cannot_be_claimed_keeps_nobody_waiting(tmp_path, caplog):
    (tmp_path / "lost+found" / "lock").mkdir(parents=True)  # as root's: no lock can be had there
    records = decision_records(3)
    leave(tmp_path / "orphan", records)
    ledger = Memory()
    orphans = Orphans(tmp_path, tmp_path / "own", ledger, LogStats(), Pace())
    with caplog.at_level(logging.WARNING):
        assert await orphans.sweep() == 1
        assert await orphans.sweep() == 0
    assert ledger.kept == [r.decision_id for r in records]
    assert not (tmp_path / "orphan").exists()
    assert sum("lost+found" in line for line in caplog.messages) == 1, "said once, not every sweep"
