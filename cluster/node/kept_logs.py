"""Logs of a node that has ended: kept, because they are wanted when it ended badly."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

KEPT = 5
"""Sessions whose logs are kept; those before are deleted."""

logger = logging.getLogger(__name__)


def keep_logs(session_root: Path, kept: Path) -> list[Path]:
    """Move the logs of every session out of Ray's folder, before that is removed.

    Args:
        session_root: Ray's `--temp-dir`, with a folder `session_<when>_<pid>` for each start.
        kept: where they go: `<kept>/session_<when>_<pid>/`. Made if need be, for its owner alone.

    Returns:
        Where they are now. Logs that cannot be moved stay where they are, with a warning.
    """
    moved = []
    for logs in sorted(session_root.glob("session_2*/logs")):
        if logs.is_symlink() or logs.parent.is_symlink():
            continue  # `session_latest`, which names one of the others
        target = kept / logs.parent.name
        try:
            kept.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.rmtree(target, ignore_errors=True)
            shutil.move(logs, target)
        except OSError as error:
            logger.warning("logs of %s cannot be kept: %s", logs.parent.name, error)
            continue
        moved.append(target)
    # The names rise with time.
    for old in sorted(kept.glob("session_2*"))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return moved
