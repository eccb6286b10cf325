"""A column of a file, and what a sample of its cells shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.cells.numbers import WORDS, Numbers, NumberStyle, number, numbers
from data.cells.texts import DEFAULT_MISSING, Texts, texts
from data.cells.time_format import Reading, iso, pattern_reader

_DATES = (
    "%Y-%m-%d %Y/%m/%d %Y.%m.%d %Y%m%d %d/%m/%Y %m/%d/%Y %d.%m.%Y %d-%m-%Y %m-%d-%Y %d-%b-%Y"
    " %d-%b-%y %d/%m/%y %m/%d/%y %d.%m.%y %d%b%Y %d%b%y %b-%Y %d/%b/%Y"
)
_SPACED_DATES = ("%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%a %b %d %Y", "%a, %d %b %Y")
_CLOCKS = (
    *("", " %H:%M:%S", " %H:%M", " %H:%M:%S.%f", " %I:%M:%S %p", " %I:%M %p", "T%H:%M:%S"),
    *(":%H:%M:%S", " %H%M%S", "%H%M%S", " %H.%M.%S", " %H.%M", ", %H:%M:%S", ", %H:%M"),
)
_ZONES = ("", "%z", " %z", " %Z")
_FITS = 0.98
_TRIED = 300

TIME_OF_DAY = (
    *("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%H%M%S", "%H%M", "%I:%M:%S %p", "%I:%M %p"),
    *("%I:%M:%S%p", "%I:%M%p", "%H.%M.%S", "%H.%M", "%Hh%M", "%H h %M"),
)


def date_patterns() -> Iterator[str]:
    """Yield patterns of date-times, the most usual first."""
    for zone in _ZONES:
        for clock in _CLOCKS:
            if zone and not clock:
                continue
            for day in (*_DATES.split(), *_SPACED_DATES):
                yield f"{day}{clock}{zone}"


@dataclass(frozen=True)
class Column:
    """A column and a sample of its cells, in the order of the file."""

    name: str
    cells: pa.Array

    @cached_property
    def texts(self) -> Texts:
        return texts(self.cells, DEFAULT_MISSING)

    @cached_property
    def filled(self) -> int:
        empty: int = self.texts.values.null_count
        return int(self.texts.unreadable.sum()) + len(self.cells) - empty

    @cached_property
    def values(self) -> list[str]:
        """The distinct texts, the most frequent first."""
        counted = pc.value_counts(self.texts.values.drop_null())
        pairs = [(c["counts"], c["values"]) for c in counted.to_pylist()]
        return [text for _, text in sorted(pairs, key=lambda pair: (-pair[0], pair[1]))]

    @cached_property
    def unique(self) -> bool:
        return self.filled == len(self.cells) and len(self.values) >= 0.999 * self.filled > 0

    @property
    def is_flag(self) -> bool:
        """Whether there are few enough values to be the answers to one question."""
        return 1 <= len(self.values) <= 6

    @cached_property
    def decimal(self) -> str:
        point, comma = (int(self._numbers(d).known.sum()) for d in ".,")
        return "," if comma > point else "."

    @cached_property
    def numbers(self) -> Numbers:
        return self._numbers(self.decimal)

    def _numbers(self, decimal: str) -> Numbers:
        style = NumberStyle(decimal, missing=DEFAULT_MISSING, lenient=True)
        return numbers(self.cells, style)

    @cached_property
    def is_number(self) -> bool:
        if self.is_arrow_time or not self.filled or all(v.lower() in WORDS for v in self.values):
            return False
        if pa.types.is_string(self.cells.type) or pa.types.is_large_string(self.cells.type):
            few = self.values[:_TRIED]
            styles = [NumberStyle(d, lenient=True) for d in ".,"]
            known = sum(any(number(text, style) for style in styles) for text in few)
            if known < _FITS * len(few):
                return False
        return int(self.numbers.known.sum()) >= _FITS * self.filled

    @cached_property
    def is_whole(self) -> bool:
        value = self.numbers.value[self.numbers.known]
        return self.is_number and bool((value == np.floor(value)).all())

    @property
    def range(self) -> tuple[float, float]:
        value = self.numbers.value[self.numbers.known]
        return (float(value.min()), float(value.max())) if len(value) else (0.0, 0.0)

    @cached_property
    def is_arrow_time(self) -> bool:
        return bool(pa.types.is_timestamp(self.cells.type) or pa.types.is_date(self.cells.type))

    @cached_property
    def patterns(self) -> list[str]:
        """Patterns of date-times that match nearly all cells; "" is ISO 8601. [] if none does, or
        if the column has a time type of Arrow."""
        if self.is_arrow_time or not self.values:
            return []
        tried = self.texts.values.drop_null()[:_TRIED].to_pylist()
        if _fits(tried, None):
            return [""]
        few = tried[:3]
        if not all(re.search(r"\d.*\d", text) and len(text) > 5 for text in few):
            return []
        if self.is_number and not (self.is_whole and 6 <= len(few[0]) <= 14):
            return []
        found = [p for p in date_patterns() if _fits(few, p) and _fits(tried, p)]
        every = self.values[: 20 * _TRIED]
        found = [p for p in found if _fits(every, p)]
        return sorted(found, key=lambda pattern: self._disorder(pattern))

    def _disorder(self, pattern: str) -> float:
        """The share of rows that are earlier than the one before: most files are in time order."""
        read = pattern_reader(pattern)
        found = [read(text) for text in self.texts.values.drop_null()[:2000].to_pylist()]
        times = [reading.wall_ms for reading in found if reading is not None]
        return sum(b < a for a, b in pairwise(times)) / max(len(times), 1)

    @cached_property
    def has_clock(self) -> bool:
        """Whether its times have an hour."""
        if self.is_arrow_time:
            plain = self.cells.drop_null()
            whole = plain.cast(pa.timestamp("ms", tz=getattr(plain.type, "tz", None)), safe=False)
            return bool((whole.cast(pa.int64()).to_numpy() % 86_400_000).any())
        if not self.patterns:
            return False
        return any(mark in (self.patterns[0] or "%H") for mark in ("%H", "%I")) and any(
            re.search(r"\d[T :]\d\d", text) or re.search(r"\d{12,}|\d{4,6}$", text)
            for text in self.values[:20]
        )

    @cached_property
    def has_zone(self) -> bool:
        """Whether its times have an offset from UTC or a zone."""
        if self.is_arrow_time:
            return getattr(self.cells.type, "tz", None) is not None
        if not self.patterns:
            return False
        read = pattern_reader(self.patterns[0]) if self.patterns[0] else iso
        found = [read(text) for text in self.values[:20]]
        return all(r is None or r.offset_ms is not None or r.name is not None for r in found)

    @cached_property
    def epoch_unit(self) -> str | None:
        """The unit of a count since 1970 with times from 1995 to 2060; None: it is not a count."""
        if not self.is_number:
            return None
        low, high = self.range
        for unit, a_second in (("seconds", 1), ("milliseconds", 1e3), ("microseconds", 1e6), ("nanoseconds", 1e9)):  # fmt: skip  # noqa: E501
            if 788_918_400 * a_second <= low and high < 2_840_140_800 * a_second:
                return unit
        return None

    @cached_property
    def time_pattern(self) -> str | None:
        """A pattern of times of the day that matches nearly all cells; None if none does."""
        tried = self.values[: 20 * _TRIED]
        if not tried or self.is_arrow_time:
            return None
        return next((p for p in TIME_OF_DAY if _fits(tried, p, of_day=True)), None)


def looks_like_a_value(text: str) -> bool:
    """Return whether a text is a number or a date, which names of columns are not."""
    if not text:
        return False
    if number(text, NumberStyle()) is not None or iso(text) is not None:
        return True
    return any(pattern_reader(p)(text) for p in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y"))


def _fits(tried: list[str], pattern: str | None, of_day: bool = False) -> bool:
    read = iso if pattern is None else pattern_reader(pattern, of_day)
    return sum(_plausible(read(text), of_day) for text in tried) >= _FITS * len(tried) > 0


def _plausible(reading: Reading | None, of_day: bool) -> bool:
    return reading is not None and (of_day or -9.5e11 <= reading.wall_ms < 2.84e12)
