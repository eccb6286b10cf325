"""Orphans: folders of writers that have died. A writer beside them ships what they left."""

from __future__ import annotations

import logging
from pathlib import Path

from decision_log.disk.backlog import Backlog
from decision_log.disk.claim import Claim, claim
from decision_log.disk.dead_letters import DeadLetters
from decision_log.disk.segment import segments, writers
from decision_log.shipping.shipper import Shipped, Shipper, ShipperConfig, nothing_to_note
from decision_log.shipping.sink import RecordSink
from telemetry.metrics import LogStats

logger = logging.getLogger(__name__)


class Orphans:
    """Takes over the folders of dead writers under one root, one after the other.

    Args:
        root: the folder of all writers' folders.
        own: the folder under `root` to leave alone.
    """

    def __init__(
        self, root: Path, own: Path, sink: RecordSink, stats: LogStats, config: ShipperConfig
    ) -> None:
        self._root = root
        self._own = own
        self._sink = sink
        self._stats = stats
        self._config = config
        self._skipped: set[Path] = set()

    async def sweep(self) -> int:
        """Ship and remove every folder whose owner is dead. Returns how many there were.

        A folder that cannot be claimed or removed is skipped.
        """
        taken = 0
        for folder in writers(self._root):
            if folder == self._own:
                continue
            try:
                taken += await self._take_over(folder)
                self._skipped.discard(folder)
            except Exception as error:  # this folder must not keep others waiting
                self._skip(folder, error)
        await self._sink.close()
        return taken

    def _skip(self, folder: Path, error: Exception) -> None:
        """Log once what is wrong with a folder: it may stay so for ever, as `lost+found` does."""
        if folder not in self._skipped:
            self._skipped.add(folder)
            known = isinstance(error, OSError)
            reason = error if known else type(error).__name__
            logger.error("%s is skipped: %s", folder.name, reason, exc_info=not known)

    async def _take_over(self, folder: Path) -> bool:
        """Ship and remove a folder. False if its owner lives, or more came while it was shipped.

        Raises:
            OSError: the folder cannot be claimed or removed.
        """
        claimed = claim(folder, create=False)
        if claimed is None:
            return False
        try:
            return await self._ship(claimed)
        finally:
            claimed.release()

    async def _ship(self, claimed: Claim) -> bool:
        if segments(claimed.folder):
            logger.warning("shipping what %s left", claimed.folder.name)
        letters = DeadLetters(self._root, self._stats)
        backlog = Backlog(claimed.folder, letters.folder, self._stats, live=False)
        await ship_left(backlog, self._sink, letters, self._stats, self._config)
        if not backlog.is_empty():
            return False
        claimed.remove()
        self._stats.taken_over += 1
        return True


async def ship_left(
    backlog: Backlog,
    sink: RecordSink,
    letters: DeadLetters,
    stats: LogStats,
    config: ShipperConfig,
    shipped: Shipped = nothing_to_note,
) -> None:
    """Ship what a dead writer left, and close its backlog. See `Shipper`.

    Raises:
        Exception: that of the last of `ShipperConfig.attempts`.
    """
    try:
        await Shipper(backlog, sink, letters, stats, config, shipped).drain()
    finally:
        backlog.close()
        letters.close()
