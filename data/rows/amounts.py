"""Amounts in minor units and in hundredths, checked against their currency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.cells.currency_signs import MEANT
from data.cells.numbers import NumberStyle, numbers
from data.rows.row_checks import (
    MISSING,
    NOT_A_NUMBER,
    OTHER_CURRENCY,
    TOO_PRECISE,
    Bool,
    RowChecks,
    broken,
)
from fraud.payment import limits
from fraud.payment.batch import Int64
from fraud.payment.currency import EXPONENT, UNTIL_MS

_CURRENCIES = pa.array(list(EXPONENT))
_EXPONENTS = np.array(list(EXPONENT.values()), dtype=np.int64)


class Amounts(NamedTuple):
    """int64[n] in minor units and in hundredths; of rejected rows any value."""

    minor: Int64
    hundredths: Int64


def amounts(checks: RowChecks, currency: pa.Array) -> Amounts:
    """Read the amounts of a chunk. Rows without a valid amount are rejected.

    Args:
        currency: string[n], the currency of each row.
    """
    field = checks.layout.amount
    style = NumberStyle(field.decimal, field.ignore, field.missing, exact=True)
    found = numbers(checks.chunk.columns[field.column], style)
    checks.filled["amount"] = int(found.present.sum())
    checks.reject(~found.present, "amount", MISSING)
    checks.reject(found.unreadable, "amount", NOT_A_NUMBER)
    checks.reject(_in_other_currency(found.marks, currency), "amount", OTHER_CURRENCY)
    value = np.abs(found.value) if field.absolute else found.value
    exponent = _exponents(currency)
    scaled = value if field.unit == "minor" else value * 10.0**exponent
    whole = np.floor(scaled + 0.5) if field.round else np.rint(scaled)
    # A double holds 15 digits: a value that is this close to a whole number is that number.
    close = np.abs(scaled - whole) <= np.maximum(1e-6, np.abs(scaled) * 1e-12)
    checks.reject(found.known & ~close & (not field.round), "amount", TOO_PRECISE)
    _check_bounds(checks, found.known, whole, exponent)
    minor = np.where(found.known & (np.abs(whole) < 1e15), whole, 0).astype(np.int64)
    return Amounts(minor, _hundredths(minor, exponent))


def reject_withdrawn_currencies(checks: RowChecks, currency: pa.Array, at_ms: Int64) -> None:
    """Reject payments in a currency that no longer existed.

    Args:
        currency: string[n].
        at_ms: int64[n], the times of the payments.
    """
    for code in pc.unique(currency).to_pylist():
        if code in UNTIL_MS:
            same = pc.equal(currency, code).fill_null(False).to_numpy(zero_copy_only=False)
            problem = broken(limits.withdrawn_problem(code, limits.MAX_TIMESTAMP_MS))
            checks.reject(same & (at_ms >= UNTIL_MS[code]), "currency", problem)


def _check_bounds(
    checks: RowChecks, known: Bool, whole: NDArray[np.float64], exponent: Int64
) -> None:
    small = broken(limits.amount_problem(0, "USD"))
    large = broken(limits.amount_problem(10**18, "USD"))
    checks.reject(known & (whole <= 0), "amount", small)
    cap = limits.MAX_AMOUNT_HUNDREDTHS * 10.0 ** (exponent - 2)
    checks.reject(known & (whole > cap), "amount", large)


def _in_other_currency(marks: Mapping[int, str], currency: pa.Array) -> Bool:
    """bool[n]: the amount has the sign of a currency that its row is not in."""
    found = np.zeros(len(currency), dtype=np.bool_)
    for i, mark in marks.items():
        found[i] = currency[i].as_py() not in MEANT[mark]
    return found


def _exponents(currency: pa.Array) -> Int64:
    """int64[n]: decimals of each row's currency; 2 where it is unknown (the row is rejected)."""
    codes = pc.index_in(currency, value_set=_CURRENCIES).fill_null(0)
    exponents: Int64 = _EXPONENTS[codes.to_numpy(zero_copy_only=False)]
    return exponents


def _hundredths(minor: Int64, exponent: Int64) -> Int64:
    """The same as `fraud.payment.currency.hundredths`, for n rows."""
    return np.select([exponent == 2, exponent == 0], [minor, minor * 100], (minor + 5) // 10)
