"""`python -m bulk.files.sheet_copy WORKBOOK PARQUET`: copy the first sheet, within bounds.

Prints one JSON object: {} if it is done, else `code` and `detail` of a refusal. `workbook.py` runs
it as a child process: it may end by a signal.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
from python_calamine import (
    CalamineError,
    CalamineSheet,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from bulk.files.refused import FileRefused

MAX_CELLS: Final = 20_000_000
_MAX_MEMORY: Final = 4 << 30
_MAX_CPU_S: Final = 240
_MOST_EXACT: Final = 2**53


def main(source: Path, target: Path) -> dict[str, str]:
    """Copy a sheet. Return {}, or why it cannot be copied."""
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_CPU_S, _MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        name, notes, table = _table(source)
    except FileRefused as refused:
        return {"code": refused.code, "detail": refused.detail}
    except PasswordError:
        detail = "the workbook is encrypted: save it without a password"
        return {"code": "encrypted", "detail": detail}
    except MemoryError:
        return {"code": "bomb", "detail": "the workbook needs too much memory: save it as CSV"}
    except (CalamineError, OSError, ValueError):
        return {"code": "damaged", "detail": "the workbook is damaged"}
    told = json.dumps({"sheet": name, "notes": notes})
    pq.write_table(table.replace_schema_metadata({"quorum.sheet": told}), target)
    return {}


def _table(source: Path) -> tuple[str, list[str], pa.Table]:
    workbook = load_workbook(str(source))
    seen = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
    ]
    if not seen:
        raise FileRefused("empty-file", "the workbook has no visible sheet")
    sheet = workbook.get_sheet_by_name(seen[0])
    if sheet.height * sheet.width > MAX_CELLS:
        detail = f"the sheet has more than {MAX_CELLS:,} cells: save it as CSV"
        raise FileRefused("too-large", detail)
    others = len(seen) - 1
    notes = [f"the first sheet is read, {others} more are not"] if others else []
    return seen[0], notes, _of_rows(sheet)


def _of_rows(sheet: CalamineSheet) -> pa.Table:
    rows = (row for row in sheet.iter_rows() if any(cell != "" for cell in row))
    header = next(rows, None)
    if header is None:
        raise FileRefused("empty-file", "the first sheet is empty")
    names = [_text(cell).strip() for cell in header]
    kept = [list(row) for row in rows]
    columns = [column_of([row[i] for row in kept]) for i in range(len(names))]
    while names and not names[-1] and columns[-1].null_count == len(columns[-1]):
        names.pop()
        columns.pop()
    return pa.Table.from_arrays(columns, names=names)


def column_of(cells: Sequence[Any]) -> pa.Array:
    """Return cells as one array. Cells of several types become texts; an empty one is null.

    Args:
        cells: text, float, int, bool, date, datetime or another object each; "" is empty.
    """
    values = [None if cell == "" else cell for cell in cells]
    kinds = {type(value) for value in values if value is not None}
    if kinds and kinds <= {int, float}:
        whole = all(v is None or (v == v // 1 and abs(v) < _MOST_EXACT) for v in values)
        if whole:
            return pa.array([None if v is None else int(v) for v in values], pa.int64())
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds and kinds <= {date, datetime}:
        return pa.array([None if v is None else _moment(v) for v in values], pa.timestamp("us"))
    return pa.array([None if v is None else _text(v) for v in values], pa.string())


def _moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell == cell // 1 and abs(cell) < _MOST_EXACT:
        return str(int(cell))
    return cell.isoformat(" ") if isinstance(cell, datetime) else str(cell)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
