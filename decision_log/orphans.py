"""Orphans: folders of writers that are dead. Whoever lives beside them ships what they left."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from decision_log.disk.backlog import Backlog
from decision_log.disk.claim import Claim, claim
from decision_log.disk.dead_letters import DeadLetters
from decision_log.disk.segment import ASIDE, segments, writers
from decision_log.shipping.ledger import Ledger
from decision_log.shipping.shipper import Pace, Shipper
from telemetry.metrics import LogStats

logger = logging.getLogger(__name__)


class Orphans:
    """Takes over other owners' folders under one root, one after the other."""

    def __init__(self, root: Path, own: Path, ledger: Ledger, stats: LogStats, pace: Pace) -> None:
        """`own`: the folder under `root` that is not to be looked at."""
        self._root = root
        self._own = own
        self._ledger = ledger
        self._stats = stats
        self._pace = pace
        self._odd: set[Path] = set()

    async def sweep(self) -> int:
        """Ship and remove every folder whose owner is dead. Returns how many there were.

        A folder that cannot be claimed or removed is passed over.
        """
        taken = 0
        for folder in self._others():
            try:
                taken += await self._shipped(folder)
                self._odd.discard(folder)
            except Exception as error:  # one that is not ours to ship must not keep others waiting
                self._passed_over(folder, error)
        await self._ledger.close()
        return taken

    def _others(self) -> Iterator[Path]:
        return (folder for folder in writers(self._root) if folder != self._own)

    def _passed_over(self, folder: Path, error: Exception) -> None:
        """Say once what is wrong with a folder: it may stay so for ever, as `lost+found` does."""
        if folder not in self._odd:
            self._odd.add(folder)
            logger.error(
                "%s is passed over: %s",
                folder.name,
                error if isinstance(error, OSError) else type(error).__name__,
                exc_info=not isinstance(error, OSError),
            )

    async def _shipped(self, folder: Path) -> bool:
        """Ship and remove a folder; False if its owner lives, or more came while it was shipped.

        Raises:
            OSError: the folder cannot be claimed, or not be removed.
        """
        found = claim(folder, create=False)
        if found is None:
            return False
        try:
            return await self._take_over(found)
        finally:
            found.release()

    async def _take_over(self, found: Claim) -> bool:
        if segments(found.folder):
            logger.warning("shipping what %s left", found.folder.name)
        aside = self._root / ASIDE
        backlog = Backlog(found.folder, aside, self._stats, live=False)
        dead_letters = DeadLetters(self._root, self._stats)
        try:
            await Shipper(backlog, self._ledger, dead_letters, self._stats, self._pace).drain()
        finally:
            backlog.close()
            dead_letters.close()
        if not backlog.is_empty():
            return False
        found.remove()
        self._stats.taken_over += 1
        return True
