"""Cells of any Arrow type as numbers: amounts, percentages, yes and no."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.cells.currency_signs import without_sign
from data.cells.texts import (
    Bool,
    Markers,
    shows_all_digits,
    texts,
    trimmed,
    without_dictionary,
)

Float64 = NDArray[np.float64]

_LONGEST = 100
"""Characters of a number with a mark, a unit or groups of digits. The patterns that read it try
every way to split its spaces."""

_PLAIN = {sign: rf"^[+-]?(?:\d+(?:{re.escape(sign)}\d*)?|{re.escape(sign)}\d+)$" for sign in ".,"}
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-", "’": "'"})
_UNIT = re.compile(r"(.*\d)\s*\+?\s*([A-Za-z]{2,})\.?|(.*\d)\s+([A-Za-z])", re.DOTALL)
_ONE_UNIT = {"yr": "year", "mo": "month", "mon": "month", "wk": "week", "hr": "hour"}
_SCALE_LINE = "k m b t bn mn bln mln thousand million billion mio mrd tsd lakh lac crore"
_SCALES = frozenset(_SCALE_LINE.split())
"""Words that multiply, so they are not units."""
_YES = "yes y true t ja oui sí si sim tak да evet kyllä"
_NO = "no n false f nein non não nao nie nee nej нет hayır ei"
WORDS = dict.fromkeys(_YES.split(), 1.0) | dict.fromkeys(_NO.split(), 0.0)
"""Yes and no in several languages -> 1 and 0, for lenient styles."""


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How numbers are written in a file.

    Attributes:
        decimal: the decimal sign. Groups of three digits may be separated by the other of `.` and
            `,`, by a space or by an apostrophe.
        ignore: texts to remove from a cell first.
        missing: missing-value markers.
        exact: refuse scientific notation whose fraction is shorter than its exponent, such as
            1.23457E+11, which has lost digits. 1e+05, as R writes 100000, is accepted.
        lenient: percentages, numbers with a unit, and yes and no are numbers too.
    """

    decimal: str = "."
    ignore: tuple[str, ...] = ()
    missing: Markers = frozenset()
    exact: bool = False
    lenient: bool = False


class Numbers(NamedTuple):
    """n cells as numbers.

    Attributes:
        value: float64[n], finite; 0 where there is no number.
        known: bool[n]: the cell is a number.
        present: bool[n]: the cell is not empty.
        marks: index -> what was written beside the number: a currency sign, `%` or a unit.
    """

    value: Float64
    known: Bool
    present: Bool
    marks: dict[int, str]

    @property
    def unreadable(self) -> Bool:
        """bool[n]: the cell holds something that is not a number."""
        unreadable: Bool = self.present & ~self.known
        return unreadable

    @property
    def marked(self) -> Bool:
        """bool[n]: something was written beside the number."""
        marked = np.zeros(len(self.known), dtype=np.bool_)
        marked[list(self.marks)] = True
        return marked


def numbers(cells: pa.Array, style: NumberStyle) -> Numbers:
    """Read cells as numbers."""
    cells = without_dictionary(cells)
    kind = cells.type
    if pa.types.is_integer(kind) or pa.types.is_float64(kind):
        return _of_values(cells.cast(pa.float64(), safe=False), style)
    if pa.types.is_floating(kind):
        # A float32 is read from its shortest text: 57.16 is meant, not 57.1599998.
        shortest = cells.cast(pa.float32()).cast(pa.string())
        return _of_values(shortest.cast(pa.float64()), style)
    if pa.types.is_decimal(kind):
        return _of_values(cells.cast(pa.float64()), style)
    return _of_texts(*_raw(cells, style), style)


def _of_values(cells: pa.Array, style: NumberStyle) -> Numbers:
    values = cells.fill_null(np.nan).to_numpy(zero_copy_only=False)
    present = ~np.isnan(values)
    listed = [v for v in map(_as_float, style.missing) if v is not None]
    if listed:
        present &= ~np.isin(values, listed)
    known = present & np.isfinite(values)
    return Numbers(np.where(known, values, 0.0), known, present, {})


def _raw(cells: pa.Array, style: NumberStyle) -> tuple[pa.Array, Bool]:
    """Texts as written (9.9E+15 has no canonical text), and bool[n]: cells that are not texts."""
    kind = cells.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        found = texts(cells, style.missing)
        return found.values, found.unreadable
    plain = trimmed(cells.cast(pa.string()))
    absent = pc.is_in(plain, value_set=pa.array(["", *sorted(style.missing)], pa.string()))
    none = pa.scalar(None, pa.string())
    return pc.if_else(absent, none, plain), np.zeros(len(cells), dtype=np.bool_)


def _of_texts(plain: pa.Array, not_text: Bool, style: NumberStyle) -> Numbers:
    present = pc.is_valid(plain).to_numpy(zero_copy_only=False) | not_text
    simple = np.zeros(len(plain), dtype=np.bool_)
    values = np.full(len(plain), np.nan)
    if style.decimal in _PLAIN and not style.ignore:
        matched = pc.match_substring_regex(plain, _PLAIN[style.decimal]).fill_null(False)
        simple = matched.to_numpy(zero_copy_only=False)
        at = np.flatnonzero(simple)
        digits = plain.take(pa.array(at))
        if style.decimal != ".":
            digits = pc.replace_substring(digits, style.decimal, ".")
        values[at] = digits.cast(pa.float64()).to_numpy(zero_copy_only=False)
    marks: dict[int, str] = {}
    rest = np.flatnonzero(present & ~simple & ~not_text)
    for place, text in zip(rest.tolist(), plain.take(pa.array(rest)).to_pylist(), strict=True):
        found = number(text, style)
        if found is not None:
            values[place], mark = found
            if mark is not None:
                marks[place] = mark
    known = np.isfinite(values)
    return Numbers(np.where(known, values, 0.0), known, present, marks)


def number(text: str, style: NumberStyle) -> tuple[float, str | None] | None:
    """Return a trimmed text as a number, and its mark; None if it is not a number, or very long.

    >>> number("$60,000.00", NumberStyle()), number("(12.50)", NumberStyle())
    ((60000.0, '$'), (-12.5, None))
    >>> number("36 months", NumberStyle(lenient=True)), number("12,34", NumberStyle())
    ((36.0, 'month'), None)
    """
    if len(text) > _LONGEST:
        return None
    text = text.translate(_SPACES)
    for sign in style.ignore:
        text = text.replace(sign, "")
    text = text.strip()
    if style.lenient and text.lower() in WORDS:
        return WORDS[text.lower()], None
    plain, negative = _unsigned(text)
    plain, mark = without_sign(plain)
    plain, again = _unsigned(plain)
    if style.lenient and mark is None:
        plain, mark = _without_unit(plain)
    value = _unmarked(plain, style)
    if value is None or (negative and again) or (mark == "%" and again):
        return None
    value = value / 100 if mark == "%" else value
    return (-value if negative or again else value), mark


def _unsigned(text: str) -> tuple[str, bool]:
    """Return a text without its sign or brackets, and whether it was negative."""
    if text.startswith("(") and text.endswith(")") and text[1:2] not in ("-", "+"):
        return text[1:-1].strip(), True
    if text.startswith("-"):
        return text[1:].lstrip(), True
    if text.endswith("-"):
        return text[:-1].rstrip(), True
    return (text[1:].lstrip() if text.startswith("+") else text), False


def _without_unit(text: str) -> tuple[str, str | None]:
    if text.endswith("%"):
        return text[:-1].rstrip(), "%"
    found = _UNIT.fullmatch(text)
    if found is None:
        return text.removesuffix("+"), None
    unit = (found[2] or found[4]).lower()
    if unit in _SCALES:
        return text, None
    unit = unit.removesuffix("s") if len(unit) > 2 else unit
    return (found[1] or found[3]).rstrip().removesuffix("+"), _ONE_UNIT.get(unit, unit)


def _unmarked(text: str, style: NumberStyle) -> float | None:
    """The value of digits, groups of digits and a decimal sign, without a minus sign."""
    found = _pattern(style.decimal).fullmatch(text)
    if found is None:
        return None
    if style.exact and found["rest"] and not shows_all_digits(text.replace(style.decimal, ".")):
        return None
    whole = re.sub(r"\D", "", found["whole"] or "")
    return _as_float(f"{whole or '0'}.{found['rest'] or '0'}{found['power'] or ''}")


@lru_cache(maxsize=8)
def _pattern(decimal: str) -> re.Pattern[str]:
    other = "," if decimal == "." else "."
    d = re.escape(decimal)
    grouped = rf"[1-9][0-9]{{0,2}}(?P<gap>[{other}' ])[0-9]{{3}}(?:(?P=gap)[0-9]{{3}})*"
    indian = rf"[1-9][0-9]?(?:{re.escape(other)}[0-9]{{2}})+{re.escape(other)}[0-9]{{3}}"
    return re.compile(
        rf"(?=[{d}]?[0-9])(?P<whole>{grouped}|{indian}|[0-9]*)"
        rf"(?:{d}(?P<rest>[0-9]*))?(?P<power>[eE][+-]?[0-9]{{1,4}})?"
    )


def _as_float(text: str) -> float | None:
    # float() also accepts 1_000 and digits of other scripts, which are not numbers in a file.
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None
