"""The states that n rows touch: one record for each row, with a place for each role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from features.state.entities import ROLES, Role

Bools = NDArray[np.bool_]

_SIZES = [role.entity.size for role in ROLES]
ROW_BYTES = sum(_SIZES)
OFFSETS = dict(zip((role.name for role in ROLES), accumulate(_SIZES[:-1], initial=0), strict=True))
"""Role -> first byte of its state in a row's record."""

N_ROLES = len(ROLES)
_PLACES = {role.name: i for i, role in enumerate(ROLES)}
_BLANKS = [bytes(size) for size in _SIZES]


@dataclass(frozen=True, slots=True)
class States:
    """State of one role's entity for n rows, as it was before each row.

    Attributes:
        present: bool[n]: the row touches an entity in this role, and its state was available.
        matrix: uint8[n, entity.size]; arbitrary where no state is present.
    """

    present: Bools
    matrix: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, i: int) -> bytes | None:
        return self.matrix[i].tobytes() if self.present[i] else None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """States of all roles for n rows, as they were before each row.

    Attributes:
        present: bool[n, n_roles]: see `States`.
        records: uint8[n, ROW_BYTES], C-contiguous; arbitrary where no state is present.
    """

    present: Bools
    records: NDArray[np.uint8]

    @classmethod
    def of(cls, states: Sequence[bytes | None]) -> Snapshot:
        """Join n * n_roles states, row by row, None for a missing one."""
        n = len(states) // N_ROLES
        blanks = _BLANKS * n
        joined = b"".join([s or blank for s, blank in zip(states, blanks, strict=True)])
        present = np.array([s is not None for s in states], dtype=np.bool_)
        records = np.frombuffer(joined, dtype=np.uint8)
        return cls(present.reshape(n, N_ROLES), records.reshape(n, ROW_BYTES))

    @classmethod
    def only(cls, role: Role, states: Sequence[bytes]) -> Snapshot:
        """n states of one role."""
        found = cls.none(len(states))
        found[role.name].present[:] = True
        found[role.name].matrix[:] = [np.frombuffer(state, dtype=np.uint8) for state in states]
        return found

    @classmethod
    def none(cls, n: int) -> Snapshot:
        """n rows without any state, to be filled in."""
        return cls(np.zeros((n, N_ROLES), dtype=np.bool_), np.empty((n, ROW_BYTES), dtype=np.uint8))

    def __len__(self) -> int:
        return len(self.present)

    def __getitem__(self, role: str) -> States:
        """The states of one role, as NumPy views."""
        place, start = _PLACES[role], OFFSETS[role]
        return States(self.present[:, place], self.records[:, start : start + _SIZES[place]])
