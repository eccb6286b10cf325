"""A layout for the payments of a file, from the columns that were matched."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

from bulk.scoring.plan import PlannedColumn, PlannedModel
from data.cells.texts import without_dictionary
from data.guess.column import Column
from data.guess.draft import draft_of_columns
from data.guess.guess import settled_layout
from data.layout.layout import Layout, parse_layout
from fraud.errors import InvalidInput

_TIME, _AMOUNT = "timestamp", "amount"
_CENTS = 0.01


def payment_layout(model: PlannedModel, sample: Path, decimal: str) -> Layout:
    """Return the layout of a file's payments.

    Each row is a payment of its own, whatever ids the file has: a job gives a result for every row.

    Args:
        model: of kind `history`: its columns are canonical fields of a payment.
        sample: Parquet, rows of the file, on which codes and formats are tried.
        decimal: the decimal sign.

    Raises:
        InvalidInput: no column of the file is the time or the amount.
    """
    matched = {c.name: c for c in model.columns if c.file_column is not None}
    absent = [name for name in (_TIME, _AMOUNT) if name not in matched]
    if absent:
        raise InvalidInput(
            f"no column of the file is the {absent[0]} of payments",
            ((f"/columns/{absent[0]}", "missing", "name its column"),),
        )
    table = pq.read_table(sample, partitioning=None)
    found = {
        name: Column(column.file_column, without_dictionary(_cells(table, column.file_column)))
        for name, column in matched.items()
        if column.file_column is not None
    }
    time = found.pop(_TIME)
    draft = draft_of_columns("job", found, time, decimal)
    draft.fields["transaction_id"] = {"row_number": True}
    draft.fields["amount"] = _amount(draft.fields["amount"], matched[_AMOUNT])
    return parse_layout(settled_layout(draft, sample), "the job's layout")


def _amount(value: object, column: PlannedColumn) -> object:
    table = dict(value) if isinstance(value, dict) else {"column": value}
    if column.factor == _CENTS:
        table["unit"] = "minor"
    elif column.conversion:
        table.pop("unit", None)
    return table


def _cells(table: object, name: str) -> object:
    return table[name].combine_chunks()  # type: ignore[index]
