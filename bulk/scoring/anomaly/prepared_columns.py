"""Columns of a file as the isolation forest sees them, the same in every process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bulk.scoring.cell_values import CodedTexts
from bulk.scoring.part_cells import PartCells
from bulk.scoring.plan import FileColumn
from fraud.payment.batch import Float32
from references.profile.column import ColumnKind


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

    def _rarity(self, name: str, found: CodedTexts) -> Float32:
        shares = self.shares[name]
        rarity = np.array([-np.log(shares.get(t, self.least)) for t in found.texts], np.float32)
        of_rows: Float32 = rarity[found.places]
        return of_rows


def _shares(found: CodedTexts) -> dict[str | None, float]:
    """The share of each text that occurs; None stands for no text."""
    counts = np.bincount(found.places, minlength=len(found.texts))
    shares: dict[str | None, float] = {}
    for text, n in zip(found.texts, counts.tolist(), strict=True):
        if n:
            shares[text] = shares.get(text, 0.0) + n / len(found.places)
    return shares


def _varies(column: Float32) -> bool:
    known = column[~np.isnan(column)]
    return bool(known.size) and bool((known != known[0]).any())
