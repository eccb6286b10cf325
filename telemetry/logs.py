"""Where what our modules log goes."""

from __future__ import annotations

import logging

_SERVE = "ray.serve"
"""Serve's own logger, as its documentation names it."""


class _ToServe(logging.Handler):
    """Hands records to whatever Serve's own logger does with its own, now: it may be configured
    anew while a replica runs."""

    def emit(self, record: logging.LogRecord) -> None:
        serve = logging.getLogger(_SERVE)
        if serve.isEnabledFor(record.levelno):
            serve.handle(record)


def log_to_replica() -> None:
    """Send what any module of this process logs to the replica's log file; again: nothing.

    Serve gives that file to its own logger alone. All others end at `sys.stderr`, which it takes
    for chatter (INFO): at the level WARNING every warning of ours would be lost.
    """
    root = logging.getLogger()
    if not any(isinstance(handler, _ToServe) for handler in root.handlers):
        root.addHandler(_ToServe())
