"""The guard's rounds: of raw history, of a matrix before it is learnt from, and of a layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from fraud.batch import Float64
from training.data.history import History
from training.data.layout import Layout
from training.dataset import Dataset
from training.guard.finding import Finding
from training.guard.later import early_labels, later_labels, later_time
from training.guard.rows import Bools, GuardRows, guard_rows
from training.guard.telling import Column, speaks, telling
from training.guard.twins import identical_rows
from training.split import FRAUD, UNKNOWN, Split

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
"""Fields of a payment that a layout may have filled with the label."""
_IDENTITIES = ("customer_id", "merchant_id", "counterparty_id", "device_id", "ip_address")
_RAW_NUMBERS = ("amount_minor", "latitude", "longitude")


def inspect_history(history: History, seed: int) -> list[Finding]:
    """Look at raw payments before features are made of them: each field against the label, and
    labels that were known too early."""
    at_ms = np.array(history.batch.timestamp_ms, np.int64)
    rows = guard_rows(history.label, at_ms, seed)
    return [
        *telling(_raw_columns(history, rows), rows),
        *early_labels(history.label, history.known_at_ms, at_ms, with_payment=True),
    ]


def inspect_replay(history: History, dataset: Dataset, seed: int) -> list[Finding]:
    """Look at the matrix of features that was made of a history: whether it knows the future."""
    return later_labels(history, dataset.values, dataset.schema.names, seed)


def inspect_dataset(dataset: Dataset, split: Split, seed: int) -> list[Finding]:
    """Look at a matrix and how it is cut: its columns, and identical rows on both sides."""
    learnt = np.unique(np.concatenate([split.train, split.validation, split.calibration]))
    return [*inspect_columns(dataset, seed), *identical_rows(dataset.values, learnt, split.test)]


def inspect_columns(dataset: Dataset, seed: int) -> list[Finding]:
    """Look at each column of a matrix against the label. A table's own columns are also looked at
    for moments and labels of later."""
    rows = guard_rows(dataset.label, dataset.timestamp_ms, seed)
    found = telling(_matrix_columns(dataset, rows), rows)
    if dataset.schema.is_tabular:
        found += early_labels(
            dataset.label, dataset.known_at_ms, dataset.timestamp_ms, with_payment=False
        )
        at_ms = dataset.timestamp_ms[rows.rows].astype(np.float64)
        for i, name in enumerate(dataset.schema.names):
            if i not in dataset.schema.categorical:
                found += later_time(name, dataset.values[rows.rows, i].astype(np.float64), at_ms)
    return found


def inspect_layout(layout: Layout) -> list[Finding]:
    """Look at which columns of a file a layout takes for inputs."""
    tabular = layout.tabular
    mapped = {
        f"columns.{field}" + ("" if i == 0 else f" {i + 1}"): column
        for field, text in layout.text.items()
        for i, column in enumerate(text.columns)
    }
    mapped |= {f"columns.{field}": column for field, column in layout.degrees.items()}
    mapped |= {"columns.amount": layout.amount.column}
    if tabular is not None:
        mapped |= {f"tabular {n}": n for n in (*tabular.numeric, *tabular.categorical)}
    label = layout.label
    told: set[str] = set()
    if label is not None:
        told = set() if label.join is not None else {label.column}
        told |= set() if label.known_at is None else label.known_at.reads()
    found = []
    for where, column in mapped.items():
        if column in told:
            sentence = (
                f"layout {layout.name}: {where} is {column}, which [label] reads the label from"
            )
            found.append(Finding("refuse", "label-column", sentence))
        elif speaks(column) and where.startswith("columns."):
            sentence = (
                f"layout {layout.name}: {where} is {column}, whose name speaks of the label: is it"
                " known at the payment?"
            )
            found.append(Finding("warn", "speaking-name", sentence))
    return found


def _raw_columns(history: History, rows: GuardRows) -> Iterator[Column]:
    numbers = rows.rows.tolist()
    genuine = (history.label != FRAUD) & (history.label != UNKNOWN)
    for name in RAW_TEXTS:
        column = getattr(history.batch, name)
        drawn = [column[i] for i in numbers]
        texts = sorted({value for value in drawn if value is not None})
        if not texts:
            continue
        code = {value: float(i) for i, value in enumerate(texts)}
        values = np.array([np.nan if v is None else code[v] for v in drawn])
        count = partial(_genuine_texts, column, texts, genuine)
        yield Column(name, values, True, count, foreign=False, identity=name in _IDENTITIES)
    for name in _RAW_NUMBERS:
        column = getattr(history.batch, name)
        values = np.array([column[i] for i in numbers], np.float64)
        if not np.isnan(values).all():
            whole = partial(_raw_numbers, column)
            yield Column(name, values, False, partial(_genuine, whole, genuine), foreign=False)


def _matrix_columns(dataset: Dataset, rows: GuardRows) -> Iterator[Column]:
    genuine = (dataset.label != FRAUD) & (dataset.label != UNKNOWN)
    drawn = np.asarray(dataset.values[rows.rows])
    for i, name in enumerate(dataset.schema.names):
        whole = partial(_matrix_column, dataset, i)
        yield Column(
            name,
            drawn[:, i].astype(np.float64),
            i in dataset.schema.categorical,
            partial(_genuine, whole, genuine),
            foreign=dataset.schema.is_tabular,
            computed=not dataset.schema.is_tabular,
        )


def _matrix_column(dataset: Dataset, i: int) -> Float64:
    column: Float64 = dataset.values[:, i].astype(np.float64)
    return column


def _raw_numbers(column: list[float | None]) -> Float64:
    return np.array(column, np.float64)


def _genuine(
    whole: Callable[[], Float64],
    genuine: Bools,
    value: float | None,
) -> int:
    column = whole()
    same = ~np.isnan(column) if value is None else column == value
    return int((same & genuine).sum())


def _genuine_texts(
    column: list[str | None],
    texts: list[str],
    genuine: Bools,
    value: float | None,
) -> int:
    wanted = None if value is None else texts[int(value)]
    same = [v is not None if wanted is None else v == wanted for v in column]
    return int((np.array(same) & genuine).sum())
