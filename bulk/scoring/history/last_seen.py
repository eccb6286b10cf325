"""When each customer, merchant, device and account of a file is seen for the last time, so that its
state can be dropped then."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.state.entities import KEPT
from fraud.payment.batch import Int64

_ACCOUNT = "account"
_PAYER, _PAYEE = "customer_id", "counterparty_id"


class LastSeen:
    """The last bucket of each id, by kind of entity: about a hundred bytes an id, where the state
    that it saves has some thousand."""

    def __init__(self) -> None:
        self._last: dict[str, dict[str, int]] = {entity.name: {} for entity in KEPT}

    def add(self, payments: pa.Table, bucket: Int64) -> None:
        """Note payments and the bucket of each, int64[n]."""
        for number in np.unique(bucket).tolist():
            part = payments.filter(pa.array(bucket == number))
            for name, ids in _ids(part):
                last = self._last[name]
                for one in ids:
                    last[one] = max(last.get(one, -1), number)

    def ended(self, bucket: int) -> dict[str, list[str]]:
        """Return, by kind of entity, the ids that are not seen after a bucket any more, and forget
        them. Ask in the order of buckets."""
        found = {}
        for name, last in self._last.items():
            found[name] = [one for one, seen in last.items() if seen <= bucket]
            for one in found[name]:
                del last[one]
        return found


def _ids(payments: pa.Table) -> Iterator[tuple[str, list[str]]]:
    """The distinct ids of each kind. The payer and the payee of a transfer are accounts."""
    for entity in KEPT:
        if entity.name == _ACCOUNT:
            transfers = payments.filter(pc.is_valid(payments[_PAYEE]))
            for column in (_PAYER, _PAYEE):
                yield _ACCOUNT, transfers[column].unique().to_pylist()
        else:
            yield entity.name, payments[f"{entity.name}_id"].drop_null().unique().to_pylist()
