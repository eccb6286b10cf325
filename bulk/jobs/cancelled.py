"""The end of work that nobody wants any more."""

from __future__ import annotations

from fraud.errors import QuorumError


class Cancelled(QuorumError):
    """Work stopped because its job was cancelled."""
