"""Records as the columns of `ship.sql`."""

from __future__ import annotations

from typing import Any

from decision_log.document import documents
from decision_log.entry import storable
from fraud.payment.batch import columns_of
from fraud.payment.currency import hundredths
from fraud.record import OUTCOME_TEXT, RecordBatch, finite

N_COLUMNS = 28
"""How many arguments `ship.sql` takes."""

AS_TEXT = frozenset((1, 4, 5, 6, 7, 9, 13, 14, 17, 19, 20, 23, 24, 25, 26))
"""Numbers, from 1, of the arguments that are sent in the text form of arrays: short values."""

_SEPARATOR = "\x1f"
_NUL = b"\\u0000"


def columns(records: RecordBatch) -> list[list[Any]]:
    """Return the arguments of `ship.sql` as `N_COLUMNS` lists of n.

    Raises:
        LookupError, TypeError, ValueError: a record has no such column.
    """
    written = documents(records)
    if _has_nul(b"".join(written)):
        records = storable(records)
        written = documents(records)
    transactions, d, n = records.transactions, records.decisions, len(records)
    return [
        *columns_of(transactions),
        list(map(hundredths, transactions.amount_minor, transactions.currency)),
        d.decision_id,
        [d.decided_at_ms] * n,
        [OUTCOME_TEXT[outcome] for outcome in d.outcome],
        d.probability,
        list(map(finite, d.anomaly_score)),
        [records.plan.name] * n,
        [records.plan.version] * n,
        [_SEPARATOR.join(why) for why in d.degraded],
        [records.schema_id] * n,
        records.rows_of_features(),
        [document.decode() for document in written],
    ]


def _has_nul(text: bytes) -> bool:
    # One byte is found much faster than a text, and hardly any document has a backslash.
    return b"\\" in text and _NUL in text
