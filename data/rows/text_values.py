"""Text fields: mapped as the layout says, and checked by the rules of payments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.cells.joined_text import joined_texts
from data.cells.texts import Texts, texts
from data.files.chunk import Chunk
from data.layout.fields import REQUIRED, TextField
from data.rows.row_checks import MISSING, NO_TEXT, RowChecks
from fraud.payment import limits
from fraud.payment.limits import Problem

_RULES: Mapping[str, Callable[[str], Problem | None]] = {
    "transaction_id": limits.text_problem,
    "customer_id": limits.text_problem,
    "currency": limits.currency_problem,
    "type": limits.type_problem,
    **limits.OPTIONAL_TEXT,
}


def text_values(checks: RowChecks, name: str, tag: str) -> pa.Array:
    """string[n]: the values of a text field. Rows that break its rule are rejected.

    Args:
        tag: put before row numbers that serve as ids.
    """
    values, unreadable = _mapped(checks.chunk, checks.layout.text[name], tag)
    checks.reject(unreadable, name, NO_TEXT)
    checks.filled[name] = len(unreadable) - values.null_count + int(unreadable.sum())
    if name in REQUIRED:
        absent = pc.is_null(values).to_numpy(zero_copy_only=False)
        checks.reject(absent & ~unreadable, name, MISSING)
    coded = values.dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    found: dict[Problem, list[int]] = {}
    for code, value in enumerate(coded.dictionary.to_pylist()):
        if problem := _RULES[name](value):
            found.setdefault(problem, []).append(code)
    for problem, wrong in found.items():
        checks.reject(np.isin(codes, wrong), name, problem)
    return values


def _mapped(chunk: Chunk, field: TextField, tag: str) -> Texts:
    n = len(chunk.rows)
    none = np.zeros(n, dtype=np.bool_)
    if field.constant is not None:
        return Texts(pa.repeat(pa.scalar(field.prefix + field.constant), n), none)
    if field.row_number:
        numbers = texts(pa.array(chunk.rows)).values
        return Texts(_prefixed(f"{field.prefix}{tag}-", numbers), none)
    cells = [chunk.columns[c] for c in field.columns]
    values, unreadable = joined_texts(cells, field.join, field.missing)
    if field.matches or field.values or field.otherwise is not None:
        values = _replaced(values, field)
    return Texts(_prefixed(field.prefix, values) if field.prefix else values, unreadable)


def _replaced(values: pa.Array, field: TextField) -> pa.Array:
    """Apply `matches`, `values` and `otherwise`, once for each distinct value."""
    coded = values.dictionary_encode()
    mapped = [_replacement(v, field) for v in coded.dictionary.to_pylist()]
    return pa.array(mapped, pa.string()).take(coded.indices)


def _replacement(value: str, field: TextField) -> str | None:
    if field.matches and not field.matches.search(value):
        return None
    return field.values.get(value, value if field.otherwise is None else field.otherwise)


def _prefixed(prefix: str, values: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(pa.scalar(prefix), values, pa.scalar(""))
