"""One pass over a file: the texts of its label and the span of its times, in every row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from data.cells.texts import DEFAULT_MISSING, texts
from data.files.source import open_source
from data.layout.fields import CsvDialect, TimeField
from data.rows.timestamps import read_timestamps
from fraud.payment.batch import Int64
from training.auto.unclear import Unclear

_MOST_TEXTS = 1_000


@dataclass(frozen=True, slots=True)
class Survey:
    """What every row of a file says.

    Attributes:
        texts: the distinct texts of the label, in the order in which they appear; "" if cells are
            empty.
        codes: int64[n]: the place in `texts` of each row's label.
        first_ms, last_ms: the oldest and the newest time, milliseconds since 1970; None if no time
            could be read.
    """

    texts: tuple[str, ...]
    codes: Int64
    first_ms: int | None
    last_ms: int | None

    @property
    def rows(self) -> int:
        """Rows of the file."""
        return int(self.codes.size)

    @property
    def counts(self) -> dict[str, int]:
        """Text of the label -> rows."""
        found = np.bincount(self.codes, minlength=len(self.texts))
        return {text: int(n) for text, n in zip(self.texts, found, strict=True)}

    @property
    def span_ms(self) -> int:
        """Milliseconds from the oldest row to the newest; 0 without times."""
        if self.first_ms is None or self.last_ms is None:
            return 0
        return self.last_ms - self.first_ms

    def rows_of(self, chosen: list[str]) -> Int64:
        """Return the places in the file of the rows whose label is one of `chosen`, rising."""
        places = [i for i, text in enumerate(self.texts) if text in chosen]
        return np.flatnonzero(np.isin(self.codes, places))


def survey(path: Path, dialect: CsvDialect | None, label: str, time: TimeField) -> Survey:
    """Read the label and the time of every row.

    Raises:
        SourceUnreadable: the file is missing or damaged.
        Unclear: the label holds more than 1,000 different texts.
    """
    source = open_source(path, dialect)
    places: dict[str, int] = {}
    codes, first, last = [np.empty(0, np.int64)], [], []
    for chunk in source.chunks(frozenset({label, *time.columns_read()}), 0, None):
        coded = texts(chunk.columns[label], DEFAULT_MISSING).values.dictionary_encode()
        known = [*coded.dictionary.to_pylist(), ""]
        filled = coded.indices.fill_null(len(known) - 1).to_numpy(zero_copy_only=False)
        if coded.null_count == 0:
            known = known[:-1]
        table = np.array([places.setdefault(t, len(places)) for t in known] or [0], np.int64)
        codes.append(table[filled])
        if len(places) > _MOST_TEXTS:
            what = f"{label} holds more than {_MOST_TEXTS:,} different texts"
            raise Unclear(what, "--label names the label")
        when = read_timestamps(chunk.columns, chunk.rows, time)
        if when.known.any():
            first.append(int(when.at_ms[when.known].min()))
            last.append(int(when.at_ms[when.known].max()))
    return Survey(
        tuple(places), np.concatenate(codes), min(first, default=None), max(last, default=None)
    )
