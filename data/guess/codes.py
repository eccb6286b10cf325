"""Currencies, countries, channels and types: the codes that the values of a column stand for."""

from __future__ import annotations

from collections.abc import Iterable

from data.cells.currency_signs import MEANT
from data.guess.column import Column
from fraud.payment.currency import EXPONENT
from fraud.payment.limits import CHANNEL_SET, COUNTRIES, TYPE_SET

MAX_CATEGORIES = 200
"""A column with more distinct values is not categorical."""

_COMMON = ("USD", "EUR", "GBP", "JPY", "INR")
_CODES: dict[str, frozenset[str]] = {
    "currency": frozenset(EXPONENT),
    "country": COUNTRIES,
    "channel": CHANNEL_SET,
    "type": TYPE_SET,
}
_SYNONYMS = {
    "type": {
        "sale": "purchase", "buy": "purchase", "pos": "purchase", "wire": "transfer",
        "deposit": "cash_in", "withdrawal": "cash_out", "cash_advance": "cash_out",
        "return": "refund", "reversal": "refund", "bill_payment": "payment",
    },
    "channel": {
        "web": "online", "internet": "online", "ecommerce": "online", "e_commerce": "online",
        "ecom": "online", "app": "mobile", "store": "pos", "in_store": "pos", "chip": "pos",
        "swipe": "pos", "contactless": "pos", "telephone": "phone", "moto": "mail",
    },
}  # fmt: skip


def value_codes(name: str, column: Column) -> dict[str, str] | None:
    """Return value -> code for all values of a column; None if some have no code.

    Args:
        name: currency, country, channel or type.
    """
    values = {v: _code(v, name) for v in column.values[:MAX_CATEGORIES]}
    if name == "country" and "NA" in column.cells.to_pylist()[:1000]:
        values.setdefault("NA", "NA")
    if not values or len(column.values) > MAX_CATEGORIES:
        return None
    return values if all(code in _CODES[name] for code in values.values()) else None


def currency_of(marks: Iterable[str]) -> str:
    """Return a currency that all signs beside amounts allow, a common one if possible."""
    meanings = [MEANT[mark] for mark in marks]
    allowed = [code for code in _COMMON if all(code in codes for codes in meanings)]
    allowed += sorted(frozenset.intersection(*meanings)) if meanings else []
    return allowed[0] if allowed else "USD"


def currency_column(columns: list[Column]) -> Column | None:
    """Return a column that holds currency codes and nothing else, whatever its name."""
    for column in columns:
        full = column.filled == len(column.cells) and not column.is_number
        if full and all(v.upper() in EXPONENT for v in column.values):
            return column
    return None


def _code(value: str, name: str) -> str:
    plain = "_".join(value.replace("-", " ").split())
    if name in _SYNONYMS:
        return _SYNONYMS[name].get(plain.lower(), plain.lower())
    return plain.upper()
