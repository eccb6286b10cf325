"""Why features may be worse than usual: values of `degraded_reasons` in decisions."""

from __future__ import annotations

FEATURES_UNAVAILABLE = "features_unavailable"
"""There was no window state: only features of the request."""
HISTORY_UNAVAILABLE = "history_unavailable"
"""The state of an entity was missing, and was not rebuilt from PostgreSQL in time."""
RETRY_IN_FLIGHT = "retry_in_flight"
"""A retry overtook its first attempt, or the first attempt had no features: the retry may count
itself."""
TRANSACTION_REUSED = "transaction_reused"
"""The transaction id belongs to another payment. This one is decided as it is, with a history that
includes the other one, and is not counted."""

REASONS = (FEATURES_UNAVAILABLE, HISTORY_UNAVAILABLE, RETRY_IN_FLIGHT, TRANSACTION_REUSED)
"""All reasons. Kept rows refer to them by position."""
WITHOUT_HISTORY = frozenset(REASONS)
