"""Columns of a file as the isolation forest sees them, the same in every process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from bulk.scoring.part_cells import PartCells
from bulk.scoring.plan import FileColumn
from data.cells.texts import Texts
from fraud.payment.batch import Float32
from references.profile.column import ColumnKind

_MISSING = None


@dataclass(frozen=True, slots=True)
class PreparedColumns:
    """How k columns become numbers, measured on a sample.

    Numbers become signed logs, because random cuts between the smallest and largest value carry
    little information about amounts of many orders of magnitude. A category becomes minus the log
    of its share among the rows of the sample, so that rare ones stand apart. Columns that have the
    same value in the whole sample are left out.

    Attributes:
        names: k names.
        median: float32[k]: what stands for an unknown number.
        shares: name of a column of categories -> text -> its share; None stands for no text.
        least: share of a text that the sample does not have.
    """

    names: tuple[str, ...]
    median: Float32
    shares: Mapping[str, Mapping[str | None, float]]
    least: float

    @classmethod
    def of(cls, sample: PartCells, columns: Sequence[FileColumn]) -> PreparedColumns:
        """Measure the columns of a sample."""
        known = [column for column in columns if column.name in sample]
        shares = {
            column.name: _shares(sample.texts(column.name))
            for column in known
            if column.kind is ColumnKind.CATEGORY
        }
        names = tuple(column.name for column in known)
        least = 0.5 / max(len(sample), 1)
        whole = cls(names, np.zeros(len(names), np.float32), shares, least)
        values = whole.values(sample)
        varied = [i for i in range(len(names)) if _varies(values[:, i])]
        median = np.array([np.nanmedian(values[:, i]) for i in varied], np.float32)
        kept = tuple(names[i] for i in varied)
        return cls(kept, median, {n: shares[n] for n in kept if n in shares}, least)

    def values(self, cells: PartCells) -> Float32:
        """float32[n, k]; NaN where a number is unknown, or its column is absent."""
        values = np.full((len(cells), len(self.names)), np.nan, np.float32)
        for i, name in enumerate(self.names):
            if name not in cells:
                continue
            if name in self.shares:
                values[:, i] = self._rarity(name, cells.texts(name))
            else:
                numbers = cells.numbers(name)
                values[:, i] = np.sign(numbers) * np.log1p(np.abs(numbers))
        return values

    def imputed(self, values: Float32) -> Float32:
        """float32[n, k]: `values` with medians where they are unknown."""
        return np.where(np.isnan(values), self.median, values)

    def _rarity(self, name: str, found: Texts) -> Float32:
        shares = self.shares[name]
        coded = found.values.dictionary_encode()
        texts = [*coded.dictionary.to_pylist(), _MISSING]
        rarity = np.array([-np.log(shares.get(t, self.least)) for t in texts], np.float32)
        places = coded.indices.fill_null(len(texts) - 1).to_numpy(zero_copy_only=False)
        found_rarity: Float32 = rarity[places]
        return found_rarity


def _shares(found: Texts) -> dict[str | None, float]:
    n = max(len(found.values), 1)
    return {one["values"]: one["counts"] / n for one in pc.value_counts(found.values).to_pylist()}


def _varies(column: Float32) -> bool:
    known = column[~np.isnan(column)]
    return bool(known.size) and bool((known != known[0]).any())
