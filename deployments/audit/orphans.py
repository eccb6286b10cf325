"""Orphans: folders of writers that are dead. Whoever lives beside them ships what they left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

from deployments.audit.backlog import Backlog
from deployments.audit.claim import Claim, claim
from deployments.audit.dead_letters import FOLDER, DeadLetters
from deployments.audit.ledger import Ledger
from deployments.audit.shipper import Pace, Shipper
from deployments.audit.stats import LogStats

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

    async def run(self, interval_s: float) -> None:
        """Look around now and every `interval_s`, until cancelled."""
        while True:
            try:
                await self.sweep()
            except Exception:  # the next look may fare better
                logger.exception("orphaned decision logs wait")
            await asyncio.sleep(interval_s)

    async def sweep(self) -> int:
        """Ship and remove every folder whose owner is dead. Returns how many there were."""
        taken = 0
        for folder in self._others():
            found = claim(folder, create=False)
            if found is None:
                continue
            try:
                await self._take_over(found)
                taken += 1
            finally:
                found.release()
        if taken:
            await self._ledger.close()
        return taken

    def _others(self) -> Iterator[Path]:
        for folder in sorted(self._root.iterdir()):
            if folder.is_dir() and folder not in (self._own, self._root / FOLDER):
                yield folder

    async def _take_over(self, found: Claim) -> None:
        logger.warning("shipping what %s left", found.folder.name)
        aside = self._root / FOLDER
        backlog = Backlog(found.folder, aside, self._stats, live=False)
        dead_letters = DeadLetters(self._root, self._stats)
        try:
            await Shipper(backlog, self._ledger, dead_letters, self._stats, self._pace).drain()
            backlog.retire_all()
        finally:
            backlog.close()
            dead_letters.close()
        found.remove()
        self._stats.taken_over += 1
