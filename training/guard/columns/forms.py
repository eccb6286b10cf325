"""What can be read off a value besides its size: where files of frauds betray that they were made
apart from the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from fraud.payment.batch import Float64, Int64
from training.guard.columns.column import Column
from training.guard.rows import GuardRows

_HOUR_MS, _MINUTE_MS, _SECOND_MS = 3_600_000, 60_000, 1_000
_MOST_ZEROS = 5
_CENT_LIMIT = 1e5
"""Above it a float32 has no cents."""
_ROW_NUMBER = re.compile(r"-[0-9a-f]{8}-\d+$")
"""End of an id that a layout has made of a row's number: it says nothing about the file."""

Values = Callable[[Int64], Float64]


def clock_forms(timestamp_ms: Int64) -> Iterator[Column]:
    """The parts of a time that people and thieves do not choose: where in its hour it lies. The
    hour itself is theirs."""

    def form(what: str, read: Callable[[Int64], Int64]) -> Column:
        def at(rows: Int64) -> Float64:
            return read(timestamp_ms[rows]).astype(np.float64)

        return Column("timestamp", at, True, form=what, foreign=False)

    yield form("the full hour of timestamp", lambda ms: (ms % _HOUR_MS == 0).astype(np.int64))
    yield form("the full minute of timestamp", lambda ms: (ms % _MINUTE_MS == 0).astype(np.int64))
    yield form("the full second of timestamp", lambda ms: (ms % _SECOND_MS == 0).astype(np.int64))
    yield form("the minute of timestamp", lambda ms: ms % _HOUR_MS // _MINUTE_MS)
    yield form("the second of timestamp", lambda ms: ms % _MINUTE_MS // _SECOND_MS)


def amount_forms(values: Values, name: str, scale: float) -> Iterator[Column]:
    """The cents of an amount, and how round it is.

    Args:
        scale: makes hundredths, or the currency's own minor units, of a value.
    """

    def cents(rows: Int64) -> Float64:
        return np.mod(np.rint(values(rows) * scale), 100)

    def zeros(rows: Int64) -> Float64:
        left = np.rint(values(rows) * scale)
        found = np.zeros(left.size)
        for _ in range(_MOST_ZEROS):
            round_one = (np.mod(left, 10) == 0) & (left != 0)
            found += round_one
            left = np.where(round_one, left / 10, 1.0)
        return np.where(np.isnan(values(rows)), np.nan, found)

    yield Column(name, cents, True, form=f"the cents of {name}", foreign=False)
    yield Column(name, zeros, True, form=f"the zeros at the end of {name}", foreign=False)


def number_forms(
    name: str, values: Values, rows: GuardRows, genuine: Callable[[], Float64]
) -> Iterator[Column]:
    """Of a table's number: whether it is the most frequent value, and its cents if it has any.

    Args:
        genuine: reads its values at all genuine rows.
    """
    known = values(rows.rows)
    known = known[np.isfinite(known)]
    found, counts = np.unique(known, return_counts=True)
    if found.size < 3:
        return
    usual = float(found[np.argmax(counts)])

    def is_usual(places: Int64) -> Float64:
        found: Float64 = (values(places) == usual).astype(np.float64)
        return found

    if counts.max() > 0.01 * known.size:
        what = f"whether {name} is {usual:g}"

        def genuine_with(value: float | None) -> int:
            return int(((genuine() == usual) == bool(value)).sum())

        yield Column(name, is_usual, True, genuine_with, form=what, foreign=True)
    hundredths = known * 100
    on_grid = np.abs(hundredths - np.rint(hundredths)) < 0.05
    whole = known == np.rint(known)
    if np.abs(known).max() < _CENT_LIMIT and on_grid.all() and not whole.all():
        yield from amount_forms(values, name, 100.0)


def same_hour(values: Float64, timestamp_ms: Int64) -> bool:
    """Whether a number is the hour of its payment, in some zone."""
    if not np.isin(values, np.arange(24)).all():
        return False
    apart = np.mod(values - timestamp_ms // _HOUR_MS, 24)
    return bool(np.bincount(apart.astype(np.int64), minlength=24).max() >= 0.9 * values.size)


def id_forms(name: str, texts: Sequence[str | None], rows: GuardRows) -> Iterator[Column]:
    """Of an id: its length, its letters before the first digit, the kinds of characters in it, its
    number, and whether it comes in the order of time."""
    sample = [t for t in (texts[i] for i in rows.rows[:200].tolist()) if t is not None]
    if not sample:
        return

    def coded(read: Callable[[str], str]) -> Values:
        code: dict[str, float] = {}

        def at(places: Int64) -> Float64:
            found = (texts[i] for i in places.tolist())
            return np.array(
                [np.nan if t is None else code.setdefault(read(t), len(code)) for t in found],
                np.float64,
            )

        return at

    # Ids of one thief's making may look alike; merchants are named by others.
    names_somebody = name not in ("transaction_id", "merchant_id")
    for what, read in (("length", _length), ("prefix", _prefix), ("kind of characters", _kinds)):
        form = f"the {what} of {name}"
        yield Column(name, coded(read), True, form=form, foreign=False, identity=names_somebody)
    if all(_ROW_NUMBER.search(t) for t in sample):
        return

    def number(places: Int64) -> Float64:
        return np.array([_number(texts[i]) for i in places.tolist()])

    form = f"the number in {name}"
    yield Column(name, number, False, form=form, foreign=False, identity=names_somebody)
    if name != "transaction_id":
        return

    def off(places: Int64) -> Float64:
        """How far the number's rank is from the time's: rows are in the order of time."""
        found = number(places)
        rank = np.argsort(np.argsort(found, kind="stable"), kind="stable").astype(np.float64)
        return np.where(np.isnan(found), np.nan, rank - np.arange(places.size))

    yield Column(name, off, False, form=f"the order of {name} against time", foreign=False)


def _length(text: str) -> str:
    return str(len(text))


def _prefix(text: str) -> str:
    return re.match(r"\D{0,12}", text).group()  # type: ignore[union-attr]


def _kinds(text: str) -> str:
    kinds = (("9", str.isdigit), ("a", str.islower), ("A", str.isupper))
    found = "".join(kind for kind, is_kind in kinds if any(map(is_kind, text)))
    return found + ("." if not text.isalnum() else "")


def _number(text: str | None) -> float:
    found = None if text is None else re.search(r"\d{1,15}$", text)
    return float("nan") if found is None else float(found.group())
