"""The meaning of label cells, in the file itself or in a second one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.cells.texts import texts
from data.layout.fields import LabelField

FRAUD: Final = 1
GENUINE: Final = 0
UNKNOWN: Final = -1
OTHER: Final = 2
"""The cell holds a text that the layout lists neither for fraud nor for genuine."""

Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class JoinedLabels:
    """Labels of a second file.

    Attributes:
        by_key: key -> FRAUD, GENUINE or OTHER; OTHER also if a key has two different labels.
    """

    by_key: Mapping[str, int]

    def codes(self, keys: pa.Array) -> Codes:
        """Return int8[n]: the label of each key, UNKNOWN where there is none."""
        found = [UNKNOWN if k is None else self.by_key.get(k, UNKNOWN) for k in keys.to_pylist()]
        return np.array(found, dtype=np.int8)

    def has(self, keys: pa.Array) -> NDArray[np.bool_]:
        """Return bool[n]: whether the second file has the key."""
        return np.array([k in self.by_key for k in keys.to_pylist()], dtype=np.bool_)


def label_codes(cells: pa.Array, field: LabelField) -> Codes:
    """Return int8[n]: FRAUD, GENUINE, OTHER; UNKNOWN if the cell is empty and "" is not listed."""
    plain = texts(cells, field.missing)
    coded = plain.values.dictionary_encode()
    meaning = [_code(v, field) for v in coded.dictionary.to_pylist()]
    empty = _code("", field)
    table = np.array([*meaning, UNKNOWN if empty == OTHER else empty], dtype=np.int8)
    places: NDArray[np.int64] = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return np.where(plain.unreadable, OTHER, table[places]).astype(np.int8)


def both_codes(one: Codes, other: Codes) -> Codes:
    """Return int8[n]: FRAUD where both are; OTHER and UNKNOWN prevail."""
    found = np.minimum(one, other)
    found = np.where((one == UNKNOWN) | (other == UNKNOWN), UNKNOWN, found)
    return np.where((one == OTHER) | (other == OTHER), OTHER, found).astype(np.int8)


def _code(value: str, field: LabelField) -> int:
    if value in field.fraud:
        return FRAUD
    return GENUINE if value in field.genuine else OTHER
