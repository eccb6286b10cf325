"""Where the log records of our modules go."""

from __future__ import annotations

import logging

_SERVE = "ray.serve"
"""Serve's own logger, as its documentation names it."""


class _ToServe(logging.Handler):
    """Passes records to Serve's logger as it is configured now: that may change while a replica
    runs."""

    def emit(self, record: logging.LogRecord) -> None:
        serve = logging.getLogger(_SERVE)
        if serve.isEnabledFor(record.levelno):
            serve.handle(record)


def log_to_replica() -> None:
    """Send the log records of every module of this process to the replica's log file. Idempotent.

    Only Serve's own logger writes to that file. Other records go to `sys.stderr`, which Serve logs
    as INFO: at the level WARNING all our warnings would be lost.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, _ToServe) for handler in root.handlers):
        root.addHandler(_ToServe())
