"""Columns derived from a value besides its size, such as cents, seconds or id prefixes. They differ
when frauds were generated apart from the other rows."""

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
"""The end of an id that a layout has made from a row number, which says nothing about the file."""

Values = Callable[[Int64], Float64]


def clock_columns(timestamp_ms: Int64) -> Iterator[Column]:
    """The parts of a time that neither people nor thieves choose: its place within the hour. They
    do choose the hour."""

    def column(what: str, read: Callable[[Int64], Int64]) -> Column:
        def at(rows: Int64) -> Float64:
            return read(timestamp_ms[rows]).astype(np.float64)

        return Column("timestamp", at, True, derived=what, named_by_user=False)

    yield column("the full hour of timestamp", lambda ms: (ms % _HOUR_MS == 0).astype(np.int64))
    yield column("the full minute of timestamp", lambda ms: (ms % _MINUTE_MS == 0).astype(np.int64))
    yield column("the full second of timestamp", lambda ms: (ms % _SECOND_MS == 0).astype(np.int64))
    yield column("the minute of timestamp", lambda ms: ms % _HOUR_MS // _MINUTE_MS)
    yield column("the second of timestamp", lambda ms: ms % _MINUTE_MS // _SECOND_MS)


def amount_columns(values: Values, name: str, scale: float) -> Iterator[Column]:
    """The cents of an amount, and how round it is.

    Args:
        scale: factor from a value to hundredths, or to the currency's minor units.
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

    yield Column(name, cents, True, derived=f"the cents of {name}", named_by_user=False)
    yield Column(name, zeros, True, derived=f"the zeros at the end of {name}", named_by_user=False)


def number_columns(
    name: str, values: Values, rows: GuardRows, genuine: Callable[[], Float64]
) -> Iterator[Column]:
    """Of a number of a table: whether it has the most frequent value, and its cents if it has any.

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

        yield Column(name, is_usual, True, genuine_with, derived=what, named_by_user=True)
    hundredths = known * 100
    on_grid = np.abs(hundredths - np.rint(hundredths)) < 0.05
    whole = known == np.rint(known)
    if np.abs(known).max() < _CENT_LIMIT and on_grid.all() and not whole.all():
        yield from amount_columns(values, name, 100.0)


def same_hour(values: Float64, timestamp_ms: Int64) -> bool:
    """Whether a number is the hour of its payment, in some time zone."""
    if not np.isin(values, np.arange(24)).all():
        return False
    apart = np.mod(values - timestamp_ms // _HOUR_MS, 24)
    return bool(np.bincount(apart.astype(np.int64), minlength=24).max() >= 0.9 * values.size)


def id_columns(name: str, texts: Sequence[str | None], rows: GuardRows) -> Iterator[Column]:
    """Of an id: its length, the letters before its first digit, its kinds of characters, its
    number, and whether the numbers follow time."""
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

    # Ids that one thief creates may look alike; a merchant does not choose its own.
    names_somebody = name not in ("transaction_id", "merchant_id")
    for what, read in (("length", _length), ("prefix", _prefix), ("kind of characters", _kinds)):
        column = f"the {what} of {name}"
        yield Column(
            name, coded(read), True, derived=column, named_by_user=False, identity=names_somebody
        )
    if all(_ROW_NUMBER.search(t) for t in sample):
        return

    def number(places: Int64) -> Float64:
        return np.array([_number(texts[i]) for i in places.tolist()])

    column = f"the number in {name}"
    yield Column(name, number, False, derived=column, named_by_user=False, identity=names_somebody)
    if name != "transaction_id":
        return

    def off(places: Int64) -> Float64:
        """The distance between the ranks of number and time; rows are in the order of time."""
        found = number(places)
        rank = np.argsort(np.argsort(found, kind="stable"), kind="stable").astype(np.float64)
        return np.where(np.isnan(found), np.nan, rank - np.arange(places.size))

    yield Column(name, off, False, derived=f"the order of {name} against time", named_by_user=False)


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
