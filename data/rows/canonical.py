"""Rows of a file -> canonical transactions, column by column, and the rows that are none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.cells.joint import joint_texts
from data.cells.money import MEANT
from data.cells.numbers import NumberStyle, numbers
from data.cells.texts import Texts, texts
from data.files.chunk import BadRow, Chunk
from data.layout.fields import REQUIRED, TEXT_FIELDS, LabelField, TextField, TimeField
from data.layout.mapping import Layout, LayoutInvalid, columns_of
from data.rows.examples import shown
from data.rows.labels import FRAUD, GENUINE, OTHER, UNKNOWN, Joined, both_codes, label_codes
from data.rows.times import Moments, after_payments, moments
from fraud.payment import limits
from fraud.payment.currency import EXPONENT, UNTIL_MS
from fraud.payment.limits import Problem

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
_NOT_A_TIME = Problem("not_a_time", "must be a time, as the layout says that it is written")
_GAP = Problem("no_such_time", "is an hour that the clocks of its zone left out")
_FOLD = Problem("ambiguous", "is an hour that the clocks of its zone showed twice")
_BEFORE_PAYMENT = Problem("before_payment", "lies before the payment")
_NOT_A_LABEL = Problem("not_a_label", "is neither a text for fraud nor one for genuine")
_TOO_PRECISE = Problem("too_precise", "has more decimals than its currency")
_OTHER_CURRENCY = Problem("other_currency", "is written in another currency than that of its row")
_NO_TEXT = Problem("unclear", "has no text that is sure: digits may be lost, or a part is missing")
_RULES: Mapping[str, Callable[[str], Problem | None]] = {
    "transaction_id": limits.text_problem,
    "customer_id": limits.text_problem,
    "currency": limits.currency_problem,
    "type": limits.type_problem,
    **limits.OPTIONAL_TEXT,
}
_EXPONENTS = pa.array(list(EXPONENT)), np.array(list(EXPONENT.values()), dtype=np.int64)
UNREADABLE = frozenset(
    ("not_a_number", "not_a_time", "not_a_label", "unclear", "unknown", "malformed", "ambiguous")
)
"""Codes of cells that hold something which is not what its column should hold."""
_SHOWABLE = frozenset(
    ("timestamp", "known_at", "amount", "currency", "type", "country", "channel", "is_fraud")
) | {"latitude", "longitude"}
"""Fields whose cells may be shown: they name nobody."""
_EXAMPLES = 3

Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Canonical:
    """What a chunk holds.

    Attributes:
        table: the sound rows, columns `STAGED`; times are timestamp[ms, UTC].
        bad: one entry for each broken rule, in the order of rows.
        n_bad: rows that broke any, the unreadable ones included.
        left_out: labels that were not taken with their sound row: why -> how many.
        filled: field -> in how many rows its cells hold something.
        rows, lines: int64[n], where each sound row stands: see `Chunk`.
    """

    table: pa.Table
    bad: list[BadRow]
    n_bad: int
    left_out: Mapping[str, int]
    filled: Mapping[str, int]
    rows: Int64
    lines: Int64


def canonical(chunk: Chunk, layout: Layout, tag: str, joined: Joined | None = None) -> Canonical:
    """Map and check a chunk.

    Args:
        tag: put before row numbers that serve as ids, so that two files do not share them.
        joined: labels of the second file by its key, if the layout joins one.
    """
    work = _Work(chunk, layout, tag)
    columns: dict[str, pa.Array] = {name: work.text(name) for name in layout.text}
    at_ms = work.timestamp()
    columns["occurred_at"] = _timestamps(at_ms)
    minor, hundredths = work.amount(columns["currency"])
    columns["amount_minor"], columns["amount_hundredths"] = pa.array(minor), pa.array(hundredths)
    for name, limit in (("latitude", 90.0), ("longitude", 180.0)):
        columns[name] = work.degrees(name, limit)
    columns["is_fraud"], columns["known_at"] = work.label(at_ms, joined)
    work.withdrawn(columns["currency"], at_ms)
    absent = pa.nulls(len(chunk.rows), pa.string())
    table = pa.table({name: columns.get(name, absent) for name in STAGED})
    bad = sorted(chunk.bad + work.bad, key=lambda b: b.row)
    left_out = {why: int((where & work.sound).sum()) for why, where in work.left_out.items()}
    return Canonical(
        table.filter(pa.array(work.sound)),
        bad,
        len({b.row for b in bad}),
        {why: n for why, n in left_out.items() if n},
        work.filled,
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
        self.left_out: dict[str, Bool] = {}
        self.filled: dict[str, int] = {}
        self._shown: dict[str, int] = {}

    def refuse(self, where: Bool, field: str, problem: Problem) -> None:
        """Rows `where` (bool[n]) break a rule."""
        for i in np.flatnonzero(where):
            self.sound[i] = False
            row, line = int(self._chunk.rows[i]), int(self._chunk.lines[i])
            example = self._example(field, int(i)) if problem.code in UNREADABLE else ""
            self.bad.append(BadRow(row, line, field, problem.code, problem.detail, example))

    def _example(self, field: str, i: int) -> str:
        """The cells of row i for a message, of the first few; "" where they may name somebody."""
        if field not in _SHOWABLE or self._shown.get(field, 0) >= _EXAMPLES:
            return ""
        self._shown[field] = self._shown.get(field, 0) + 1
        cells = [self._chunk.columns[c][i].as_py() for c in columns_of(self._layout, field)]
        return ", ".join(shown(cell) for cell in cells)

    def text(self, name: str) -> pa.Array:
        """A text field, mapped and checked; rows that break its rule are refused."""
        field = self._layout.text[name]
        values, wrong = self._mapped(field)
        self.refuse(wrong, name, _NO_TEXT)
        self.filled[name] = len(wrong) - values.null_count + int(wrong.sum())
        if name in REQUIRED:
            self.refuse(_mask(pc.is_null(values)) & ~wrong, name, _MISSING)
        coded = values.dictionary_encode()
        codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        found: dict[Problem, list[int]] = {}
        for code, value in enumerate(coded.dictionary.to_pylist()):
            problem = _RULES[name](value)
            if problem:
                found.setdefault(problem, []).append(code)
        for problem, broken in found.items():
            self.refuse(np.isin(codes, broken), name, problem)
        return values

    def _mapped(self, field: TextField) -> Texts:
        n = len(self._chunk.rows)
        none = np.zeros(n, dtype=np.bool_)
        if field.constant is not None:
            return Texts(pa.repeat(pa.scalar(field.prefix + field.constant), n), none)
        if field.row_number:
            numbered = texts(pa.array(self._chunk.rows)).values
            return Texts(_prefixed(f"{field.prefix}{self._tag}-", numbered), none)
        cells = [self._chunk.columns[c] for c in field.columns]
        values, wrong = joint_texts(cells, field.joint, field.missing)
        if field.matches or field.values or field.otherwise is not None:
            values = _by_value(values, field)
        return Texts(_prefixed(field.prefix, values) if field.prefix else values, wrong)

    def timestamp(self) -> Int64:
        """int64[n], milliseconds since 1970; of refused rows a stand-in."""
        found = self._moments(self._layout.timestamp, "timestamp")
        self.refuse(~found.there, "timestamp", _MISSING)
        return found.at_ms

    def _moments(self, field: TimeField, name: str) -> Moments:
        """Times of a field; rows in which they cannot be read are refused."""
        found = moments(self._chunk.columns, self._chunk.rows, field)
        at_ms, known = found.at_ms, found.known
        self.filled[name] = int(found.there.sum())
        self.refuse(found.there & ~known & ~found.gap & ~found.fold, name, _NOT_A_TIME)
        self.refuse(found.gap, name, _GAP)
        self.refuse(found.fold, name, _FOLD)
        outside = known & ((at_ms < limits.MIN_TIMESTAMP_MS) | (at_ms >= limits.MAX_TIMESTAMP_MS))
        self.refuse(outside, name, _of_rule(limits.timestamp_problem(-1)))
        inside = known & ~outside
        return found._replace(at_ms=np.where(inside, at_ms, 0), known=inside)

    def amount(self, currency: pa.Array) -> tuple[Int64, Int64]:
        """int64[n] in minor units and in hundredths; of refused rows a stand-in."""
        field = self._layout.amount
        style = NumberStyle(field.decimal, field.ignore, field.missing, exact=True)
        found = numbers(self._chunk.columns[field.column], style)
        value, known = found.value, found.known
        self.filled["amount"] = int(found.there.sum())
        self.refuse(~found.there, "amount", _MISSING)
        self.refuse(found.wrong, "amount", _NOT_A_NUMBER)
        self.refuse(_other_currency(found.marks, currency), "amount", _OTHER_CURRENCY)
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
        small = _of_rule(limits.amount_problem(0, "USD"))
        large = _of_rule(limits.amount_problem(10**18, "USD"))
        self.refuse(known & (whole <= 0), "amount", small)
        cap = limits.MAX_AMOUNT_HUNDREDTHS * 10.0 ** (exponent - 2)
        self.refuse(known & (whole > cap), "amount", large)

    def withdrawn(self, currency: pa.Array, at_ms: Int64) -> None:
        """Refuse payments in a currency that was none any more."""
        for code in pc.unique(currency).to_pylist():
            if code in UNTIL_MS:
                late = _mask(pc.equal(currency, code).fill_null(False))
                late &= at_ms >= UNTIL_MS[code]
                problem = limits.withdrawn_problem(code, limits.MAX_TIMESTAMP_MS)
                self.refuse(late, "currency", _of_rule(problem))

    def degrees(self, name: str, limit: float) -> pa.Array:
        """A latitude or longitude, null where unknown."""
        column = self._layout.degrees.get(name)
        if column is None:
            return pa.nulls(len(self._chunk.rows), pa.float64())
        style = NumberStyle(self._layout.decimal, (), self._layout.missing)
        found = numbers(self._chunk.columns[column], style)
        self.filled[name] = int(found.there.sum())
        money = np.zeros(len(found.known), dtype=np.bool_)
        money[list(found.marks)] = True
        self.refuse(found.wrong | money, name, _NOT_A_NUMBER)
        problem = _of_rule(limits.degrees_problem(limit + 1, limit))
        self.refuse(found.known & (np.abs(found.value) > limit), name, problem)
        return pa.array(found.value, mask=~found.known)

    def label(self, at_ms: Int64, joined: Joined | None) -> tuple[pa.Array, pa.Array]:
        """is_fraud and known_at, both null where there is no label."""
        field = self._layout.label
        n = len(self._chunk.rows)
        if field is None:
            return pa.nulls(n, pa.bool_()), _timestamps(np.zeros(n, np.int64), np.ones(n, np.bool_))
        code = self._label_codes(field, joined)
        self.refuse(code == OTHER, "is_fraud", _NOT_A_LABEL)
        self.filled["is_fraud"] = int((code != UNKNOWN).sum())
        known = (code == FRAUD) | (code == GENUINE)
        if field.delay_ms is None:
            raise LayoutInvalid(
                f"layout {self._layout.name}: label.delay_days: is missing: after how many days is"
                " a label known? Only a table can do without"
            )
        known_ms = at_ms + field.delay_ms
        if field.known_at is not None:
            dated = self._moments(field.known_at, "known_at")
            known_ms = dated.at_ms + field.delay_ms
            if field.undated_ms is not None:
                known_ms = np.where(dated.there, known_ms, at_ms + field.undated_ms)
            else:
                self.left_out["undated"] = known & ~dated.there
                known &= dated.known
            known_ms, early = after_payments(dated, known_ms, at_ms)
            self.refuse(early & known, "known_at", _BEFORE_PAYMENT)
        return pa.array(code == FRAUD, mask=~known), _timestamps(known_ms, ~known)

    def _label_codes(self, field: LabelField, joined: Joined | None) -> NDArray[np.int8]:
        if joined is None or field.join is None:
            return label_codes(self._chunk.columns[field.column], field)
        code = np.full(len(self._chunk.rows), FRAUD, dtype=np.int8)
        for column in field.join.rows:
            keys = texts(self._chunk.columns[column], field.missing)
            self.refuse(keys.wrong, "is_fraud", _NO_TEXT)
            code = both_codes(code, joined.codes(keys.values))
            absent = _mask(pc.is_valid(keys.values)) & ~joined.knows(keys.values)
            self.left_out["not in the second file"] = absent | self.left_out.get(
                "not in the second file", np.zeros_like(absent)
            )
        return code


def _of_rule(problem: Problem | None) -> Problem:
    """The problem that a rule of the house names for a value that breaks it."""
    assert problem is not None
    return problem


def _other_currency(marks: Mapping[int, str], currency: pa.Array) -> Bool:
    """bool[n]: the amount is written with the sign of a currency that its row is not in."""
    found = np.zeros(len(currency), dtype=np.bool_)
    for place, mark in marks.items():
        found[place] = currency[place].as_py() not in MEANT[mark]
    return found


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
    """The same as `fraud.payment.currency.hundredths`, for n rows."""
    return np.select([exponent == 2, exponent == 0], [minor, minor * 100], (minor + 5) // 10)


def _timestamps(at_ms: Int64, mask: Bool | None = None) -> pa.Array:
    return pa.array(at_ms, mask=mask).cast(pa.timestamp("ms", tz="UTC"))


def _mask(values: pa.Array) -> Bool:
    found: Bool = values.to_numpy(zero_copy_only=False)
    return found
