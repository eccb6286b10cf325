"""The columns to check: the fields of payments or the columns of a matrix, and those derived from
them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from data.history.history import History
from fraud.payment.batch import Float64, Int64
from training.guard.columns.column import Column
from training.guard.columns.derived import (
    amount_columns,
    clock_columns,
    id_columns,
    number_columns,
    same_hour,
)
from training.guard.rows import Bools, GuardRows
from training.sets.dataset import Dataset
from training.sets.split import FRAUD, UNKNOWN

RAW_TEXTS = (
    "customer_id",
    "currency",
    "type",
    "merchant_id",
    "merchant_category",
    "counterparty_id",
    "device_id",
    "ip_address",
    "country",
    "channel",
)
"""The text fields of a payment, which a layout may have filled from the label."""
IDENTITIES = ("customer_id", "merchant_id", "counterparty_id", "device_id", "ip_address")
RAW_NUMBERS = ("amount_minor", "latitude", "longitude")
_SHOWN_AS = {"amount_minor": "amount"}
_IDENTITY_VALUES = 100
"""A column with more distinct values than this identifies somebody, not a category."""


def payment_columns(history: History, rows: GuardRows) -> Iterator[Column]:
    """The fields of raw payments, and the columns derived from them."""
    batch = history.batch
    genuine = (history.label != FRAUD) & (history.label != UNKNOWN)
    for name in RAW_TEXTS:
        texts: list[str | None] = getattr(batch, name)
        column = _text_column(name, texts, genuine, rows)
        if column is not None:
            yield column
    for field in RAW_NUMBERS:
        numbers: list[float | None] = getattr(batch, field)
        whole = partial(_numbers, numbers)
        name = _SHOWN_AS.get(field, field)
        count = partial(_genuine, partial(whole, None), genuine)
        yield Column(name, whole, False, count, named_by_user=False, native=True)
    yield from clock_columns(np.array(batch.timestamp_ms, np.int64))
    yield from amount_columns(partial(_numbers, batch.amount_minor), "amount", 1.0)
    for name in ("transaction_id", *IDENTITIES):
        yield from id_columns(name, getattr(batch, name), rows)


def _text_column(
    name: str, texts: list[str | None], genuine: Bools, rows: GuardRows
) -> Column | None:
    drawn = sorted({texts[i] for i in rows.rows.tolist()} - {None})
    if not drawn:
        return None
    code = {value: float(i) for i, value in enumerate(drawn)}

    def at(places: Int64) -> Float64:
        return np.array([code.get(texts[i], np.nan) for i in places.tolist()])

    def count(value: float | None) -> int:
        wanted = None if value is None else drawn[int(value)]
        same = [v is not None if wanted is None else v == wanted for v in texts]
        return int((np.array(same) & genuine).sum())

    return Column(name, at, True, count, named_by_user=False, identity=name in IDENTITIES)


def _numbers(column: Sequence[Any], places: Int64 | None) -> Float64:
    chosen = column if places is None else [column[i] for i in places.tolist()]
    return np.array(chosen, np.float64)


def matrix_columns(dataset: Dataset, rows: GuardRows) -> Iterator[Column]:
    """The columns of a matrix; for a table also the columns derived from them."""
    genuine = (dataset.label != FRAUD) & (dataset.label != UNKNOWN)
    tabular = dataset.schema.is_tabular
    drawn = np.asarray(dataset.values[rows.rows])
    place = np.full(len(dataset), -1, np.int64)
    place[rows.rows] = np.arange(rows.rows.size)
    for i, name in enumerate(dataset.schema.names):
        at = partial(_drawn, drawn, place, i)
        categorical = i in dataset.schema.categorical
        count = partial(_genuine, partial(_matrix_column, dataset, i), genuine)
        native = (
            tabular
            and not categorical
            and same_hour(at(rows.rows), dataset.timestamp_ms[rows.rows])
        )
        if native:  # the hour of the payment itself
            continue
        many = np.unique(drawn[:, i]).size > _IDENTITY_VALUES
        number = tabular and not categorical
        yield Column(
            name,
            at,
            categorical,
            count,
            named_by_user=tabular,
            computed=not tabular,
            identity=tabular and categorical and many,
            native=number and _is_amount(at(rows.rows), dataset.amount[rows.rows]),
        )
        if tabular and not categorical:
            yield from number_columns(name, at, rows, partial(_genuine_values, dataset, i, genuine))
    if tabular:
        yield from clock_columns(dataset.timestamp_ms)
        yield from amount_columns(lambda places: dataset.amount[places], "amount", 100.0)


def _is_amount(values: Float64, amount: Float64) -> bool:
    """Whether a column is the payment's own amount."""
    both = np.isfinite(values) & np.isfinite(amount)
    return bool(both.any()) and bool(
        np.isclose(np.abs(values[both]), amount[both], rtol=1e-4, atol=0.01).mean() > 0.99
    )


def _drawn(drawn: np.ndarray, place: Int64, i: int, rows: Int64) -> Float64:
    column: Float64 = drawn[place[rows], i].astype(np.float64)
    return column


def _matrix_column(dataset: Dataset, i: int) -> Float64:
    column: Float64 = dataset.values[:, i].astype(np.float64)
    return column


def _genuine_values(dataset: Dataset, i: int, genuine: Bools) -> Float64:
    return _matrix_column(dataset, i)[genuine]


def _genuine(whole: Callable[[], Float64], genuine: Bools, value: float | None) -> int:
    column = whole()
    same = ~np.isnan(column) if value is None else column == value
    return int((same & genuine).sum())
