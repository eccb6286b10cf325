"""Which columns of a file are which canonical fields, by their names and cells."""

from __future__ import annotations

from collections.abc import Callable

from data.guess.column import Column
from data.guess.column_names import confidence

_ORDER = (
    *("transaction_id", "customer_id", "merchant_id", "counterparty_id", "amount", "device_id"),
    *("merchant_category", "ip_address", "country", "currency", "channel", "type"),
    *("latitude", "longitude"),
)


def choose_columns(columns: list[Column]) -> dict[str, Column]:
    """Return field -> its most likely column. No column is used for two fields."""
    rated = [
        (confidence(name, column.name), -_ORDER.index(name), -i, name, column)
        for name in _ORDER
        for i, column in enumerate(columns)
        if confidence(name, column.name) and _FITS.get(name, _is_filled)(column)
    ]
    found: dict[str, Column] = {}
    taken: set[str] = set()
    for *_, name, column in sorted(rated, key=lambda one: one[:3], reverse=True):
        if name not in found and column.name not in taken:
            found[name] = column
            taken.add(column.name)
    return found


def fits_amount(column: Column) -> bool:
    """Whether the cells may be amounts: numbers of which most are not zero."""
    if not column.is_number or column.is_arrow_time:
        return False
    value = column.numbers.value[column.numbers.known]
    return float((value != 0).mean()) > 0.5


def _is_filled(column: Column) -> bool:
    return column.filled > 0


def _fits_id(column: Column) -> bool:
    """Whether the cells may be ids: fractions are measures."""
    return column.filled > 0 and not (column.is_number and not column.is_whole)


def _fits_party(column: Column) -> bool:
    """Whether the cells may be ids of parties: a few distinct values are a status."""
    return _fits_id(column) and len(column.values) >= min(20, 0.05 * len(column.cells))


def _fits_customer(column: Column) -> bool:
    return _fits_party(column) and column.filled >= 0.99 * len(column.cells)


def _fits_degrees(limit: float) -> Callable[[Column], bool]:
    return lambda column: column.is_number and max(map(abs, column.range)) <= limit


_FITS: dict[str, Callable[[Column], bool]] = {
    "transaction_id": lambda column: _fits_id(column) and column.unique,
    "customer_id": _fits_customer,
    "merchant_id": _fits_id,
    "counterparty_id": _fits_party,
    "device_id": _fits_id,
    "amount": fits_amount,
    "latitude": _fits_degrees(90),
    "longitude": _fits_degrees(180),
}
