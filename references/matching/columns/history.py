"""How payments of a file compare with those from which a history's models learnt.

The 183 features are mostly relative to a customer's own past, so that models carry over to other
periods, currencies and customers. So a distribution of another level but of the same shape still
counts, and ids compare by nothing but their presence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from data.guess.column_names import confidence
from references.matching.columns.distribution import distribution_scores
from references.matching.columns.pairing import column_match
from references.matching.columns.payments import Payments
from references.matching.columns.units import (
    CONVERSIONS,
    closeness_after,
    confirmed,
    shape_closeness,
    with_proposal,
)
from references.matching.match import ColumnMatch, Conversion
from references.profile.column import ColumnKind, ColumnProfile
from references.reference import ReferenceColumn

_SHAPE_COUNTS = 0.8
"""Closeness of amounts of the same shape and another level."""
_SOME_NUMBER = 0.2
_PARTIES = (
    "customer_id",
    "transaction_id",
    "merchant_id",
    "counterparty_id",
    "device_id",
    "ip_address",
)
_PRESENT = 0.8
_CODES = ("merchant_category", "country", "currency", "channel", "type")
_CODES_FLOOR = 0.4
_MOST_POINTS = 5


def match_fields(
    payments: Payments,
    profiles: Mapping[str, ColumnProfile],
    reference: tuple[ReferenceColumn, ...],
    convert: Mapping[str, str],
) -> tuple[ColumnMatch, ...]:
    """Return the counterpart of each field that a reference of kind `history` has.

    Args:
        payments: the file as payments.
        profiles: column of the file -> its profile.
        reference: its columns; their names are fields of a payment.
        convert: column of the file -> code of a conversion that the sender confirmed.
    """
    return tuple(_match(payments, profiles, column, convert) for column in reference)


def _match(
    payments: Payments,
    profiles: Mapping[str, ColumnProfile],
    column: ReferenceColumn,
    convert: Mapping[str, str],
) -> ColumnMatch:
    file = profiles.get(payments.columns.get(column.name, ""))
    if file is None:
        return _constant(payments, column)
    name = min(confidence(column.name, file.name) / _MOST_POINTS, 1.0)
    applied = confirmed(file, convert) if column.name == "amount" else None
    closeness = _closeness(payments, file, column, applied)
    found = replace(column_match(column, file.name, name, closeness), applied=applied)
    in_minor = file.scale == "minor" and column.profile.scale != "minor"
    if column.name == "amount" and applied is None and in_minor:
        return with_proposal(found, CONVERSIONS["minor-to-major"])
    return found


def _constant(payments: Payments, column: ReferenceColumn) -> ColumnMatch:
    """A field that is the same for the whole file, such as the currency, has no column."""
    absent = column_match(column, None)
    draft = payments.draft
    value = draft.fields.get(column.name) if draft is not None else None
    if isinstance(value, Mapping) and "constant" in value:
        return replace(absent, note="the file has no such column: one value is taken for all rows")
    return absent


def _closeness(
    payments: Payments,
    file: ColumnProfile,
    column: ReferenceColumn,
    applied: Conversion | None,
) -> float:
    if column.name == "amount":
        same = closeness_after(file, column.profile, applied.factor if applied else 1.0)
        return max(same, _SHAPE_COUNTS * shape_closeness(file, column.profile)[0], _SOME_NUMBER)
    if column.name in _PARTIES:
        return _PRESENT
    if column.name in _CODES:
        translated = _translated(file, payments, column.name)
        found = float(distribution_scores([translated], [column.profile])[0, 0])
        return max(found, _CODES_FLOOR) if found == found else _CODES_FLOOR
    found = float(distribution_scores([file], [column.profile])[0, 0])
    floor = 0.6 if column.name == "timestamp" else _CODES_FLOOR
    return max(found, floor) if found == found else floor


def _translated(file: ColumnProfile, payments: Payments, field: str) -> ColumnProfile:
    """Categories as the codes that the draft reads them as."""
    value = payments.draft.fields.get(field) if payments.draft is not None else None
    values = value.get("values") if isinstance(value, Mapping) else None
    if file.kind is not ColumnKind.CATEGORY or not isinstance(values, Mapping):
        return file
    shares: dict[str, float] = {}
    for text, share in file.categories:
        code = str(values.get(text, text))
        shares[code] = shares.get(code, 0.0) + share
    return replace(file, categories=tuple(shares.items()))
