"""A layout for the payments of a file, from the columns that were matched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bulk.scoring.cell_values import number_cells
from bulk.scoring.plan import PlannedModel
from data.cells.texts import without_dictionary
from data.guess.column import Column
from data.guess.draft import draft_of_columns
from data.guess.guess import settled_layout
from data.layout.layout import Layout, parse_layout
from fraud.errors import InvalidInput

_TIME, _AMOUNT = "timestamp", "amount"


def payment_layout(model: PlannedModel, sample: Path, decimal: str) -> Layout:
    """Return the layout of a file's payments.

    Each row is a payment of its own, whatever ids the file has: a job gives a result for every row.
    Amounts are in currency units: `converted` has changed those that are not. Decimals that their
    currency does not have are rounded, also where the sample has none.

    Args:
        model: of kind `history`: its columns are canonical fields of a payment.
        sample: Parquet, converted rows of the file, on which codes and formats are tried.
        decimal: the decimal sign.

    Raises:
        InvalidInput: no column of the file is the time or the amount, or the time's does not show
            any.
    """
    matched = {c.name: c.file_column for c in model.columns if c.file_column is not None}
    absent = [name for name in (_TIME, _AMOUNT) if name not in matched]
    if absent:
        raise InvalidInput(
            f"no column of the file is the {absent[0]} of payments",
            ((f"/columns/{absent[0]}", "missing", "name its column"),),
        )
    table = pq.read_table(sample, columns=sorted(set(matched.values())), partitioning=None)
    found = {name: Column(column, plain_column(table, column)) for name, column in matched.items()}
    time = found.pop(_TIME)
    draft = draft_of_columns("job", found, time, decimal)
    draft.fields["transaction_id"] = {"row_number": True}
    at = draft.fields[_TIME]
    if isinstance(at, dict) and "row_number" in at:  # the guess for a file without times
        raise InvalidInput(
            f"the cells of {time.name} are no times",
            ((f"/columns/{_TIME}", "mistyped", "name a column of times"),),
        )
    amount = draft.fields[_AMOUNT]
    read = amount if isinstance(amount, dict) else {"column": amount}
    # A unit is never assumed: the caller confirms conversions.
    draft.fields[_AMOUNT] = {k: v for k, v in read.items() if k != "unit"} | {"round": True}
    return parse_layout(settled_layout(draft, sample), "the job's layout")


def converted(
    table: pa.Table, model: PlannedModel, decimal: str, missing: Sequence[str]
) -> pa.Table:
    """Return rows whose numbers have been multiplied as the caller confirmed."""
    for column in model.columns:
        name = column.file_column
        if name is None or column.factor == 1.0 or name not in table.column_names:
            continue
        values = number_cells(plain_column(table, name), decimal, missing) * column.factor
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array(values, mask=np.isnan(values)))
    return table


def plain_column(table: pa.Table, name: str) -> pa.Array:
    """Return a column as one array without dictionary encoding."""
    column = table[name]
    whole = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return without_dictionary(whole)
