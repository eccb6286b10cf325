"""Keeps the logs of a node that has ended, to find out why if it ended badly."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

KEPT = 5
"""Number of sessions whose logs are kept; older logs are deleted."""

logger = logging.getLogger(__name__)


def keep_logs(session_root: Path, kept: Path) -> list[Path]:
    """Move the logs of every session out of Ray's folder, before that is removed.

    Args:
        session_root: Ray's `--temp-dir`, with a folder `session_<time>_<pid>` for each start.
        kept: folder for the logs, as `<kept>/session_<time>_<pid>/`. Created if absent; only this
            user can read it.

    Returns:
        The new places. Logs that cannot be moved stay, with a warning.
    """
    moved = []
    for logs in sorted(session_root.glob("session_2*/logs")):
        if logs.is_symlink() or logs.parent.is_symlink():
            continue  # `session_latest` is a link to another one
        target = kept / logs.parent.name
        try:
            kept.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.rmtree(target, ignore_errors=True)
            shutil.move(logs, target)
        except OSError as error:
            logger.warning("cannot keep the logs of %s: %s", logs.parent.name, error)
            continue
        moved.append(target)
    # The names sort by time.
    for old in sorted(kept.glob("session_2*"))[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return moved
