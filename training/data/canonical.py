"""Rows of a file -> canonical transactions, column by column, and the rows that are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fraud import limits
from fraud.currency import EXPONENT
from fraud.limits import Problem
from training.data.cells import amounts, numbers, texts, times_ms
from training.data.layout import REQUIRED, TEXT_FIELDS, Layout, TextField
from training.data.source import BadRow, Chunk

STAGED = (
    "transaction_id",
    "occurred_at",
    "customer_id",
    *(name for name in TEXT_FIELDS if name not in ("transaction_id", "customer_id")),
    "amount_minor",
    "latitude",
    "longitude",
    "amount_hundredths",
    "is_fraud",
    "known_at",
)
"""Columns of `Canonical.table`."""

_MISSING = Problem("missing", "is missing")
_NOT_A_NUMBER = Problem("not_a_number", "must be a number")
_NOT_A_TIME = Problem("not_a_time", "must be a time")
_TOO_PRECISE = Problem("too_precise", "has more decimals than its currency")
_RULES: Mapping[str, Callable[[str], Problem | None]] = {
    "transaction_id": limits.text_problem,
    "customer_id": limits.text_problem,
    "currency": limits.currency_problem,
    "type": limits.type_problem,
    **limits.OPTIONAL_TEXT,
}
_EXPONENTS = pa.array(list(EXPONENT)), np.array(list(EXPONENT.values()), dtype=np.int64)
_DELAY_LIMIT_MS = limits.MAX_TIMESTAMP_MS

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Canonical:
    """What a chunk holds.

    Attributes:
        table: the sound rows, columns `STAGED`; times are timestamp[ms, UTC].
        bad: one entry for each broken rule, in the order of rows.
        n_bad: rows that broke any, the unreadable ones included.
        rows, lines: int64[n], where each sound row stands: see `Chunk`.
    """

    table: pa.Table
    bad: list[BadRow]
    n_bad: int
    rows: Int64
    lines: Int64


def canonical(
    chunk: Chunk, layout: Layout, tag: str, joined: Mapping[str, bool] | None = None
) -> Canonical:
    """Map and check a chunk.

    Args:
        tag: put before row numbers that serve as ids, so that two files do not share them.
        joined: labels of the second file by its key, if the layout joins one.
    """
    work = _Work(chunk, layout, tag)
    columns: dict[str, pa.Array] = {name: work.text(name) for name in layout.text}
    at_ms = work.timestamp()
    columns["occurred_at"] = _moments(at_ms)
    minor, hundredths = work.amount(columns["currency"])
    columns["amount_minor"], columns["amount_hundredths"] = pa.array(minor), pa.array(hundredths)
    for name, limit in (("latitude", 90.0), ("longitude", 180.0)):
        columns[name] = work.degrees(name, limit)
    columns["is_fraud"], columns["known_at"] = work.label(at_ms, joined)
    absent = pa.nulls(len(chunk.rows), pa.string())
    table = pa.table({name: columns.get(name, absent) for name in STAGED})
    bad = sorted(chunk.bad + work.bad, key=lambda b: b.row)
    return Canonical(
        table.filter(pa.array(work.sound)),
        bad,
        len({b.row for b in bad}),
        chunk.rows[work.sound],
        chunk.lines[work.sound],
    )


class _Work:
    """One chunk on its way: which rows are still sound, what is wrong with the others."""

    def __init__(self, chunk: Chunk, layout: Layout, tag: str) -> None:
        self._chunk = chunk
        self._layout = layout
        self._tag = tag
        self.sound: Bool = np.ones(len(chunk.rows), dtype=np.bool_)
        self.bad: list[BadRow] = []

    def refuse(self, where: Bool, field: str, problem: Problem) -> None:
        """Rows `where` (bool[n]) break a rule."""
        for i in np.flatnonzero(where):
            self.sound[i] = False
            row, line = int(self._chunk.rows[i]), int(self._chunk.lines[i])
            self.bad.append(BadRow(row, line, field, problem.code, problem.detail))

    def text(self, name: str) -> pa.Array:
        """A text field, mapped and checked; rows that break its rule are refused."""
        field = self._layout.text[name]
        values = self._mapped(field)
        if name in REQUIRED:
            self.refuse(_mask(pc.is_null(values)), name, _MISSING)
        coded = values.dictionary_encode()
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        found: dict[Problem, list[int]] = {}
        for code, value in enumerate(coded.dictionary.to_pylist()):
            problem = _RULES[name](value)
            if problem:
                found.setdefault(problem, []).append(code)
        for problem, wrong in found.items():
            self.refuse(np.isin(codes, wrong), name, problem)
        return values

    def _mapped(self, field: TextField) -> pa.Array:
        n = len(self._chunk.rows)
        if field.constant is not None:
            return pa.repeat(pa.scalar(field.prefix + field.constant), n)
        if field.row_number:
            return _prefixed(f"{field.prefix}{self._tag}-", texts(pa.array(self._chunk.rows)))
        values = texts(self._chunk.columns[field.column or ""])
        if field.matches or field.values or field.otherwise is not None:
            values = _by_value(values, field)
        return _prefixed(field.prefix, values) if field.prefix else values

    def timestamp(self) -> Int64:
        """int64[n], milliseconds since 1970; of refused rows a stand-in."""
        field = self._layout.timestamp
        cells = self._cells(field.column)
        at_ms, known = times_ms(cells, field)
        absent = _mask(pc.is_null(cells))
        self.refuse(absent, "timestamp", _MISSING)
        self.refuse(~known & ~absent, "timestamp", _NOT_A_TIME)
        outside = known & ((at_ms < limits.MIN_TIMESTAMP_MS) | (at_ms >= limits.MAX_TIMESTAMP_MS))
        problem = limits.timestamp_problem(-1)
        assert problem is not None
        self.refuse(outside, "timestamp", problem)
        return np.where(known & ~outside, at_ms, 0)

    def amount(self, currency: pa.Array) -> tuple[Int64, Int64]:
        """int64[n] in minor units and in hundredths; of refused rows a stand-in."""
        field = self._layout.amount
        cells = self._chunk.columns[field.column]
        value, known = amounts(cells, field)
        absent = _mask(pc.is_null(texts(cells)))
        self.refuse(absent, "amount", _MISSING)
        self.refuse(~known & ~absent, "amount", _NOT_A_NUMBER)
        value = np.abs(value) if field.absolute else value
        exponent = _exponents(currency)
        scaled = value if field.minor else value * 10.0**exponent
        whole = np.floor(scaled + 0.5) if field.round else np.rint(scaled)
        # A double holds 15 digits: what is nearer to a whole number than that is one.
        close = np.abs(scaled - whole) <= np.maximum(1e-6, np.abs(scaled) * 1e-12)
        self.refuse(known & ~close & (not field.round), "amount", _TOO_PRECISE)
        self._cap(known, whole, exponent)
        minor = np.where(known & (np.abs(whole) < 1e15), whole, 0).astype(np.int64)
        return minor, _hundredths(minor, exponent)

    def _cap(self, known: Bool, whole: NDArray[np.float64], exponent: Int64) -> None:
        small, large = limits.amount_problem(0, "USD"), limits.amount_problem(10**18, "USD")
        assert small is not None
        assert large is not None
        self.refuse(known & (whole <= 0), "amount", small)
        cap = limits.MAX_AMOUNT_HUNDREDTHS * 10.0 ** (exponent - 2)
        self.refuse(known & (whole > cap), "amount", large)

    def degrees(self, name: str, limit: float) -> pa.Array:
        """A latitude or longitude, null where unknown."""
        column = self._layout.degrees.get(name)
        if column is None:
            return pa.nulls(len(self._chunk.rows), pa.float64())
        cells = self._chunk.columns[column]
        value, known = numbers(cells)
        absent = _mask(pc.is_null(texts(cells)))
        self.refuse(~known & ~absent, name, _NOT_A_NUMBER)
        problem = limits.degrees_problem(limit + 1, limit)
        assert problem is not None
        self.refuse(known & (np.abs(value) > limit), name, problem)
        return pa.array(value, mask=~known)

    def label(self, at_ms: Int64, joined: Mapping[str, bool] | None) -> tuple[pa.Array, pa.Array]:
        """is_fraud and known_at, both null where there is no label."""
        field = self._layout.label
        n = len(self._chunk.rows)
        if field is None:
            return pa.nulls(n, pa.bool_()), _moments(np.zeros(n, np.int64), np.ones(n, np.bool_))
        if joined is not None and field.join is not None:
            fraud, known = _joined(self._chunk, field.join.rows, joined)
        else:
            cells = self._chunk.columns[field.column]
            code = label_codes(cells, field.fraud, field.genuine)
            other = Problem("not_a_label", "is neither a text for fraud nor one for genuine")
            self.refuse(code == 2, "is_fraud", other)
            fraud, known = code == 1, code >= 0
        known_ms = at_ms + field.delay_ms
        if field.known_at is not None:
            known_ms, dated = times_ms(self._cells(field.known_at.column), field.known_at)
            known_ms = known_ms + field.delay_ms
            known &= dated & (np.abs(known_ms) < 2 * _DELAY_LIMIT_MS)
        return pa.array(fraud, mask=~known), _moments(known_ms, ~known)

    def _cells(self, column: str | None) -> pa.Array:
        return pa.array(self._chunk.rows) if column is None else self._chunk.columns[column]


def label_codes(
    cells: pa.Array, fraud: frozenset[str], genuine: frozenset[str]
) -> NDArray[np.int8]:
    """int8[n]: 1 fraud, 0 genuine, -1 missing, 2 something else."""
    coded = texts(cells).dictionary_encode()
    meaning = [_label_code(v, fraud, genuine) for v in coded.dictionary.to_pylist()]
    table = np.array([*meaning, -1], dtype=np.int8)
    codes: NDArray[np.int64] = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return table[codes]


def _label_code(value: str, fraud: frozenset[str], genuine: frozenset[str]) -> int:
    if value in fraud:
        return 1
    return 0 if value in genuine else 2


def _joined(
    chunk: Chunk, columns: tuple[str, ...], joined: Mapping[str, bool]
) -> tuple[Bool, Bool]:
    fraud = np.ones(len(chunk.rows), dtype=np.bool_)
    known = np.ones(len(chunk.rows), dtype=np.bool_)
    for column in columns:
        found = [joined.get(v) for v in texts(chunk.columns[column]).to_pylist()]
        fraud &= np.array([bool(v) for v in found], dtype=np.bool_)
        known &= np.array([v is not None for v in found], dtype=np.bool_)
    return fraud, known


def _by_value(values: pa.Array, field: TextField) -> pa.Array:
    """`matches`, `values` and `otherwise`, once a distinct value."""
    coded = values.dictionary_encode()
    mapped = [_one(v, field) for v in coded.dictionary.to_pylist()]
    return pa.array(mapped, pa.string()).take(coded.indices)


def _one(value: str, field: TextField) -> str | None:
    if field.matches and not field.matches.search(value):
        return None
    return field.values.get(value, value if field.otherwise is None else field.otherwise)


def _prefixed(prefix: str, values: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(pa.scalar(prefix), values, pa.scalar(""))


def _exponents(currency: pa.Array) -> Int64:
    """int64[n]: decimals of each row's currency; 2 where it is unknown (the row is refused)."""
    codes = pc.index_in(currency, value_set=_EXPONENTS[0]).fill_null(0)
    places: Int64 = _EXPONENTS[1][codes.to_numpy(zero_copy_only=False)]
    return places


def _hundredths(minor: Int64, exponent: Int64) -> Int64:
    """The same as `fraud.currency.hundredths`, for n rows."""
    return np.select([exponent == 2, exponent == 0], [minor, minor * 100], (minor + 5) // 10)


def _moments(at_ms: Int64, mask: Bool | None = None) -> pa.Array:
    return pa.array(at_ms, mask=mask).cast(pa.timestamp("ms", tz="UTC"))


def _mask(values: pa.Array) -> Bool:
    found: Bool = values.to_numpy(zero_copy_only=False)
    return found
