"""The profile of one column, from its counts and a sample of its cells."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.cells.numbers import WORDS, NumberStyle, numbers
from data.cells.texts import are_missing, texts, trimmed
from data.guess.column import Column
from data.guess.column_names import confidence, normalised
from fraud.payment.batch import Float64
from references.profile.column import MAX_CATEGORIES, QUANTILES, ColumnKind, ColumnProfile
from references.profile.shape import common_shape, is_naming
from references.profile.tally import MOST_DISTINCT, ColumnTally
from references.profile.thinned import thinned
from references.profile.times import TimesFound, counted_times, typed_times, written_times

_TRIED = 500
"""Cells by which a kind is decided."""
_UNUSUAL_TRIED = 2_000
"""Cells that are read where numbers have signs, units or groups of digits: these take time."""
_FITS = 0.98
_DIGITS, _TIME_DIGITS = 7, 13
"""Digits of a quantile that are kept, so that documents stay small. Milliseconds since 1970 have
thirteen."""
_MOST_CODES = 20
"""Whole numbers with at most so many distinct values are codes."""
_MOST_NAMED_CODES = 200
_FEW_NAMES = 50
"""Fewer distinct ids are categories: a model can learn each."""
_SURE = 2
_LONG_ID = 1e11
"""Whole numbers of twelve digits and more are no amounts."""
_PLAIN_AMOUNT = 5
"""Confidence of names such as `amount` and `tx_amount`, not `credit_amount`: loans are whole."""
_MINOR_MEDIAN, _ROUND_SHARE = 1_000, 0.3
_PERSONAL = ("transaction_id", "customer_id", "counterparty_id", "device_id")
"""Fields whose values name somebody: they are never listed as categories, however few."""
_FEW_PERSONS = 10
_ID_FIELDS = (*_PERSONAL, "merchant_id")
_CODE_FIELDS = ("merchant_category", "country", "currency", "channel", "type")
_ID_NAME = re.compile(
    r"(^|_)(id|uuid|guid|ref|reference|iban|index|key|hash|token|unnamed_\d+"
    r"|(ssn|nir|siren|siret|passport|licen[cs]e)(_(no|nr|num|number))?)$"
)
_PERSON_NAME = re.compile(
    r"(^|_)(street|address|addr|adresse|rue|first|last|firstname|lastname|surname|fullname|phone"
    r"|telephone|mobile|e?mail|nom|prenom)(_|$)"
)
_NAMES_OF_PEOPLE = re.compile(
    r"(^|_)((first|last|full|family|given)_?names?|surnames?|noms?|prenoms?)(_|$)"
)
_MINOR_NAME = re.compile(r"(^|_)(cents?|centimes?|minor|pence|kopeks?|paise)(_|$)")


@dataclass(frozen=True, slots=True)
class _Sampled:
    """A sample of a column's cells, in the order of the table.

    Attributes:
        name: of the column.
        cells: filled ones, as `references.profile.plain` gives them.
        few: at most `_TRIED` of them, as texts.
    """

    name: str
    cells: pa.Array
    few: Column


def describe(
    name: str, tally: ColumnTally, cells: pa.Array, decimal: str, missing: Collection[str]
) -> ColumnProfile:
    """Return the profile of a column.

    Args:
        tally: of all its cells.
        cells: a sample of them, in the order of the table, as `references.profile.plain` gives
            them.
        decimal: the decimal sign of numbers in texts.
        missing: texts that mean a missing value.
    """
    if not tally.filled:
        return ColumnProfile(name, ColumnKind.EMPTY, tally.rows, 0)
    style = NumberStyle(decimal, missing=frozenset(missing), lenient=True)
    cells = _filled(cells, frozenset(missing))
    if not len(cells) and tally.counts:
        # A column that is filled so seldom that the sample has no cell of it.
        cells = pa.array(sorted(tally.counts), pa.string())
    known = texts(thinned(cells, _TRIED), frozenset(missing)).values.drop_null()
    sampled = _Sampled(name, cells, Column(name, known))
    found = _kind(sampled, tally, style)
    if tally.counts is not None and len(tally.counts) == 1 and tally.filled == tally.rows > 1:
        return replace(found, kind=ColumnKind.CONSTANT)
    return found


def _kind(sampled: _Sampled, tally: ColumnTally, style: NumberStyle) -> ColumnProfile:
    times = typed_times(sampled.cells)
    if times is not None:
        return _of_times(sampled, tally, times)
    if _are_numbers(sampled.few, style):
        values = _values(sampled, style)
        if values.size:
            return _of_numbers(sampled, tally, values)
    times = written_times(sampled.few)
    if times is not None:
        return _of_times(sampled, tally, times)
    return _of_texts(sampled, tally)


def _are_numbers(few: Column, style: NumberStyle) -> bool:
    values = few.values
    if not values or all(text.lower() in WORDS for text in values):
        return False
    found = numbers(pa.array(values, pa.string()), style)
    return int(np.count_nonzero(found.known)) >= _FITS * len(values)


def _values(sampled: _Sampled, style: NumberStyle) -> Float64:
    """float64[m]: the numbers among the cells; of fewer cells if they are slow to read."""
    cells = sampled.cells
    if not all(_is_plain(text, style.decimal) for text in sampled.few.values):
        cells = thinned(cells, _UNUSUAL_TRIED)
    found = numbers(cells, style)
    return found.value[found.known]


def _is_plain(text: str, decimal: str) -> bool:
    digits = text.lstrip("+-").replace(decimal, "", 1)
    return digits.isascii() and digits.isdigit()


def _of_times(sampled: _Sampled, tally: ColumnTally, times: TimesFound) -> ColumnProfile:
    return replace(
        _of_kind(sampled, tally, ColumnKind.TIME),
        quantiles=_quantiles(times.values, _TIME_DIGITS),
        time_format=times.format,
    )


def _of_numbers(sampled: _Sampled, tally: ColumnTally, values: Float64) -> ColumnProfile:
    few = sampled.few
    whole = bool(np.all(values == np.floor(values)))
    if whole:
        length = _length(few)
        dated = written_times(few) if 6 <= length <= 14 else None
        times = dated or counted_times(few, values)
        if times is not None:
            return _of_times(sampled, tally, times)
        if _are_ids(sampled, tally, values):
            return _of_kind(sampled, tally, ColumnKind.IDENTIFIER, common_shape(few.values))
    kind = ColumnKind.CATEGORY if whole and _are_codes(few, tally) else ColumnKind.NUMBER
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = float(np.mean(values)), float(np.std(values))
    return replace(
        _of_kind(sampled, tally, kind),
        quantiles=_quantiles(values, _DIGITS),
        mean=_rounded(mean, _DIGITS),
        deviation=_rounded(deviation, _DIGITS),
        whole=whole,
        scale="minor" if _are_minor(sampled.name, values, whole) else "",
    )


def _of_texts(sampled: _Sampled, tally: ColumnTally) -> ColumnProfile:
    few = sampled.few
    distinct = _distinct(tally, sampled)
    coded = any(confidence(field, sampled.name) > _SURE for field in _CODE_FIELDS)
    if coded and distinct <= _MOST_NAMED_CODES and tally.counts is not None:
        return _of_kind(sampled, tally, ColumnKind.CATEGORY)
    shape = common_shape(few.values)
    unlike = distinct > min(_FEW_NAMES, 0.5 * tally.filled)
    if is_naming(shape) and (unlike or "@" in shape or _is_personal(sampled.name)):
        return _of_kind(sampled, tally, ColumnKind.IDENTIFIER, shape)
    if unlike and _PERSON_NAME.search(normalised(sampled.name)):
        return _of_kind(sampled, tally, ColumnKind.TEXT)
    if distinct > _FEW_PERSONS and _names_people(sampled.name):
        return _of_kind(sampled, tally, ColumnKind.TEXT)
    if _is_few(distinct, tally.filled) and tally.counts is not None:
        return _of_kind(sampled, tally, ColumnKind.CATEGORY)
    if unlike and _has_id_name(sampled.name):
        return _of_kind(sampled, tally, ColumnKind.IDENTIFIER, shape)
    return _of_kind(sampled, tally, ColumnKind.TEXT)


def _of_kind(
    sampled: _Sampled, tally: ColumnTally, kind: ColumnKind, pattern: str = ""
) -> ColumnProfile:
    """What a profile of any kind holds, with the categories if it is one."""
    return ColumnProfile(
        sampled.name,
        kind,
        tally.rows,
        tally.filled,
        _distinct(tally, sampled),
        categories=_categories(tally) if kind is ColumnKind.CATEGORY else (),
        pattern=pattern,
    )


def _are_ids(sampled: _Sampled, tally: ColumnTally, values: Float64) -> bool:
    """Whether whole numbers name things: by the name, by their length, or because they number the
    rows."""
    distinct = _distinct(tally, sampled)
    if float(np.median(np.abs(values))) >= _LONG_ID:
        return True
    if _is_personal(sampled.name) and distinct > _FEW_PERSONS:
        return True
    if distinct <= min(_FEW_NAMES, 0.5 * tally.filled):
        return False
    if _has_id_name(sampled.name):
        return True
    steps = np.diff(values)
    span = float(np.ptp(values))
    return bool(len(values) >= 20 and np.all(steps > 0) and span < 1.5 * tally.rows)


def _are_codes(few: Column, tally: ColumnTally) -> bool:
    if tally.counts is None:
        return False
    distinct = len(tally.counts)
    if any(confidence(field, few.name) > _SURE for field in _CODE_FIELDS):
        return distinct <= _MOST_NAMED_CODES
    return distinct <= min(_MOST_CODES, max(2, tally.filled // 5))


def _are_minor(name: str, values: Float64, whole: bool) -> bool:
    """Whether amounts are in cents: the name says so, or they are large, whole and seldom round."""
    if _MINOR_NAME.search(normalised(name)):
        return True
    if not whole or confidence("amount", name) < _PLAIN_AMOUNT:
        return False
    rounded = float(np.mean(values % 10 == 0))
    return float(np.median(np.abs(values))) >= _MINOR_MEDIAN and rounded < _ROUND_SHARE


def _is_personal(name: str) -> bool:
    return any(confidence(field, name) >= _SURE for field in _PERSONAL)


def _names_people(name: str) -> bool:
    """Whether texts under a name are people, whose names are never listed as categories."""
    plain = normalised(name)
    people = any(confidence(field, name) >= _SURE for field in ("customer_id", "counterparty_id"))
    return people or _NAMES_OF_PEOPLE.search(plain) is not None


def _has_id_name(name: str) -> bool:
    if any(confidence(field, name) >= _SURE for field in _ID_FIELDS):
        return True
    return _ID_NAME.search(normalised(name)) is not None


def _is_few(distinct: int, filled: int) -> bool:
    """Whether so few distinct texts are categories rather than texts of their own."""
    return distinct < filled and distinct <= min(
        MOST_DISTINCT, max(2.0, 0.1 * filled, 2 * filled**0.5)
    )


def _distinct(tally: ColumnTally, sampled: _Sampled) -> int:
    if tally.counts is not None:
        return max(1, len(tally.counts))
    return max(MOST_DISTINCT, len(sampled.few.values))


def _categories(tally: ColumnTally) -> tuple[tuple[str, float], ...]:
    ordered = sorted((tally.counts or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return tuple((text, round(rows / tally.filled, 6)) for text, rows in ordered[:MAX_CATEGORIES])


def _length(few: Column) -> int:
    return len(few.values[0].lstrip("+-")) if few.values else 0


def _quantiles(values: Float64, digits: int) -> tuple[float, ...]:
    if not values.size:
        return ()
    found = np.quantile(values, np.linspace(0, 1, QUANTILES))
    return tuple(_rounded(float(q), digits) for q in np.maximum.accumulate(found))


def _rounded(value: float, digits: int) -> float:
    """A number of so many digits; 0 if it is not finite."""
    return float(f"{value:.{digits}g}") if np.isfinite(value) else 0.0


def _filled(cells: pa.Array, missing: frozenset[str]) -> pa.Array:
    """The cells that hold something."""
    known = cells.drop_null()
    if not pa.types.is_string(known.type):
        return known
    return known.filter(pc.invert(are_missing(trimmed(known), missing)))
