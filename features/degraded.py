"""Why features are poorer than they could be: what decisions say in `degraded_reasons`."""

from __future__ import annotations

FEATURES_UNAVAILABLE = "features_unavailable"
"""There was no window state: only what the requests say."""
HISTORY_UNAVAILABLE = "history_unavailable"
"""An entity was cold and what PostgreSQL knows of it did not come, or not in time."""
RETRY_IN_FLIGHT = "retry_in_flight"
"""A retry overtook its first attempt, or that saw nothing: the retry may have seen itself."""
TRANSACTION_REUSED = "transaction_reused"
"""The transaction id belongs to a payment that said something else: this one is decided as it is,
after a history that knows the other one, and is not counted."""

REASONS = (FEATURES_UNAVAILABLE, HISTORY_UNAVAILABLE, RETRY_IN_FLIGHT, TRANSACTION_REUSED)
"""All of them. What is remembered of rows names them by their places."""
WITHOUT_HISTORY = frozenset(REASONS)
