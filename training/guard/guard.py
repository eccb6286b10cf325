"""The guard's rounds: a layout, raw history, computed features, and the matrix to train on."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from data.history.history import History
from data.layout.layout import Layout
from data.leaky_names import mentions_label, names_label
from fraud.errors import NotTrainable
from training.finding import Finding, Severity
from training.guard.columns.equal_columns import equal_columns
from training.guard.columns.inputs import RAW_TEXTS, matrix_columns, payment_columns
from training.guard.columns.label_columns import find_label_columns
from training.guard.columns.label_steps import label_steps
from training.guard.columns.label_sums import label_sums
from training.guard.columns.noisy_labels import noisy_labels
from training.guard.customers import disjoint_customers
from training.guard.duplicates import identical_rows
from training.guard.future import early_labels, future_knowledge, future_times
from training.guard.rows import guard_rows
from training.sets.dataset import Dataset
from training.sets.split import Split


def inspect_history(history: History, seed: int) -> list[Finding]:
    """Inspect raw payments before features are computed: each field against the label, and labels
    that were known too early."""
    at_ms = np.array(history.batch.timestamp_ms, np.int64)
    rows = guard_rows(history.label, at_ms, seed)
    return [
        *find_label_columns(payment_columns(history, rows), rows),
        *disjoint_customers(history),
        *early_labels(history.label, history.known_at_ms, at_ms, with_payment=True),
    ]


def inspect_backfill(history: History, dataset: Dataset, seed: int) -> list[Finding]:
    """Inspect the features computed from a history: whether they use the future."""
    return future_knowledge(history, dataset.values, dataset.schema.names, seed)


def inspect_dataset(dataset: Dataset, split: Split, seed: int) -> list[Finding]:
    """Inspect a matrix and its split: its columns, and identical rows in training and test."""
    learnt = np.unique(np.concatenate([split.train, split.validation, split.calibration]))
    return [
        *inspect_columns(dataset, seed),
        *identical_rows(dataset.values, learnt, split.test, dataset.label),
    ]


def inspect_columns(dataset: Dataset, seed: int) -> list[Finding]:
    """Inspect each column of a matrix against the label. A table's own columns are also checked for
    later times and aggregates of labels."""
    rows = guard_rows(dataset.label, dataset.timestamp_ms, seed)
    found = find_label_columns(matrix_columns(dataset, rows), rows)
    if dataset.schema.is_tabular:
        label_columns = {finding.column for finding in found if finding.severity == "refuse"}
        more = [
            *noisy_labels(dataset, rows),
            *label_sums(dataset),
            *label_steps(dataset),
            *equal_columns(dataset, rows),
        ]
        found += [finding for finding in more if finding.column not in label_columns]
        found += early_labels(
            dataset.label, dataset.known_at_ms, dataset.timestamp_ms, with_payment=False
        )
        at_ms = dataset.timestamp_ms[rows.rows].astype(np.float64)
        for i, name in enumerate(dataset.schema.names):
            if i not in dataset.schema.categorical:
                found += future_times(name, dataset.values[rows.rows, i].astype(np.float64), at_ms)
    return found


def check_declared(dataset: Dataset, honest: Collection[str]) -> None:
    """Require that every name declared honest is a column of the matrix or a field of a payment.

    Raises:
        NotTrainable: there is no such column.
    """
    fields = {*RAW_TEXTS, "transaction_id", "timestamp", "amount", "latitude", "longitude"}
    unknown = sorted(set(honest) - {*dataset.schema.names, *fields})
    if unknown:
        raise NotTrainable(f"honest: the data have no column {unknown[0]}")


def inspect_layout(layout: Layout) -> list[Finding]:
    """Inspect which columns of a file a layout uses as inputs."""
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
    label_columns: set[str] = set()
    if label is not None:
        label_columns = set() if label.join is not None else {label.column}
        label_columns |= set() if label.known_at is None else label.known_at.columns_read()
    found = []
    for where, column in mapped.items():
        if column in label_columns:
            sentence = f"layout {layout.name}: {where} is {column}, the column that [label] reads"
            found.append(Finding("refuse", "label-column", sentence, column=column))
        elif mentions_label(column) and where.startswith("columns."):
            outright = names_label(column)
            what = "names the label" if outright else "refers to the label"
            sentence = (
                f"layout {layout.name}: {where} is {column}, whose name {what}; honest only if"
                f" {column} is known when the payment is decided"
            )
            severity: Severity = "refuse" if outright else "warn"
            found.append(Finding(severity, "speaking-name", sentence, column=column))
    return found
