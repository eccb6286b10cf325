"""Rows that go different ways: each to one sub-policy, all asked side by side."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from fraud.asking import Asking, Rows, Run, taken, together
from fraud.ensemble import Settled
from fraud.policy.interface import Policy, step

SLOTS = 10_000
"""A key has one of this many slots: a hundredth of a percent each."""


def split(
    asking: Asking,
    rows: Rows,
    arm: str,
    branches: Sequence[tuple[str, Policy]],
    which: NDArray[np.intp],
) -> Run[list[Settled]]:
    """Run each branch on its rows, stage by stage together.

    Args:
        which: intp[m], for each of `rows` the index of its branch.
    """
    runs = []
    for i, (name, policy) in enumerate(branches):
        places = np.flatnonzero(which == i)
        if places.size:
            own = rows if places.size == which.size else taken(rows, places)
            runs.append(policy.run(asking, own, step(arm, name)))
    if len(runs) == 1:
        return (yield from runs[0])
    found = yield from together(runs)
    return [group for groups in found for group in groups]


def customer_slots(asking: Asking, rows: Rows, salt: str) -> NDArray[np.intp]:
    """Return the slot of each row's customer, intp[m] in [0, SLOTS): the same for ever, wherever it
    is computed, and independent of the slots under another salt."""
    batch = asking.batch
    return slots_of(salt, _picked(batch.tenant, rows), _picked(batch.customer_id, rows))


def payment_slots(asking: Asking, rows: Rows, salt: str) -> NDArray[np.intp]:
    """Return the slot of each row itself; see `customer_slots`."""
    batch = asking.batch
    return slots_of(salt, _picked(batch.tenant, rows), _picked(batch.transaction_id, rows))


def slots_of(salt: str, tenants: Sequence[str], ids: Sequence[str]) -> NDArray[np.intp]:
    """Return the slot of each id of each tenant under a salt.

    >>> slots_of("s", ["a", "a", "b"], ["c1", "c2", "c1"]).tolist()
    [2144, 6357, 8075]
    """
    # BLAKE2b keyed with the salt. A checksum would not do: its values under two salts differ by a
    # constant, so that two experiments would split alike.
    key = salt.encode()
    # A key has 64 bytes at most, and 64 characters may have more.
    salted = blake2b(key=key if len(key) <= 64 else blake2b(key).digest(), digest_size=8)
    copies = {}
    for tenant in set(tenants):
        begun = salted.copy()
        begun.update(f"{tenant}\0".encode("utf-8", "surrogatepass"))
        copies[tenant] = begun.copy
    digests = []
    for tenant, name in zip(tenants, ids, strict=True):
        digest = copies[tenant]()
        digest.update(name.encode("utf-8", "surrogatepass"))
        digests.append(digest.digest())
    return (np.frombuffer(b"".join(digests), ">u8") % SLOTS).astype(np.intp)


def _picked(column: list[str], rows: Rows) -> list[str]:
    return column if rows is None else [column[i] for i in rows.tolist()]
