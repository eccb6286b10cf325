"""Cells of a column as the numbers that models take, by the rules of `data.cells`, but faster.

A million rows of thirty columns are thirty million cells. Most columns hold plain numbers, which
Arrow parses as a whole; the rules of `data.cells` decide about the others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.category_codes import category_codes
from data.cells.numbers import NumberStyle, numbers
from data.cells.texts import texts
from fraud.payment.batch import Float32, Float64, Int64


def number_cells(cells: pa.Array, decimal: str, missing: Collection[str]) -> Float64:
    """float64[n]: cells of any type as numbers; NaN where a cell is missing or not a number."""
    plain = plain_numbers(cells, decimal, missing)
    if plain is not None:
        return plain
    if pa.types.is_float32(cells.type):
        # Models take float32: the shortest text of each value would be the same float32 again.
        values = cells.fill_null(np.nan).to_numpy(zero_copy_only=False)
        return _without(values.astype(np.float64), missing)
    found = numbers(cells, NumberStyle(decimal, missing=frozenset(missing), lenient=True))
    return np.where(found.known, found.value, np.nan)


def plain_numbers(cells: pa.Array, decimal: str, missing: Collection[str]) -> Float64 | None:
    """float64[n]: texts as numbers, NaN where one is missing; None if a cell is any other text, or
    no text."""
    if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
        return None
    plain = _plain(cells, [""], decimal)
    if plain is None:
        plain = _plain(cells, ["", *missing], decimal)
    return None if plain is None else _without(plain, missing)


def code_cells(cells: pa.Array, missing: Collection[str], known: Collection[str] = ()) -> Float32:
    """float32[n]: the codes of categories, NaN where a cell is missing or unreadable.

    Args:
        known: categories of the training. A text that is none of them, and differs from just one by
            upper and lower case alone, counts as that one.
    """
    found = coded_texts(cells, missing)
    codes: Float32 = category_codes(_as_known(found.texts, known))[found.places]
    return codes


def _as_known(found: list[str | None], known: Collection[str]) -> list[str | None]:
    folded: dict[str, list[str]] = {}
    for text in known:
        folded.setdefault(text.casefold(), []).append(text)
    alone = {fold: alike[0] for fold, alike in folded.items() if len(alike) == 1}
    exact = frozenset(known)
    return [
        text if text is None or text in exact else alone.get(text.casefold(), text)
        for text in found
    ]


class CodedTexts(NamedTuple):
    """n cells as texts, each distinct one once.

    Attributes:
        texts: trimmed; the last is None, for cells that are missing or unreadable, and others may
            be None or equal, too.
        places: int64[n], in `texts`.
    """

    texts: list[str | None]
    places: Int64


def coded_texts(cells: pa.Array, missing: Collection[str]) -> CodedTexts:
    """Return cells as texts by the rules of `data.cells`, which look at each distinct one once."""
    coded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    plain = [*texts(coded.dictionary, frozenset(missing)).values.to_pylist(), None]
    places = coded.indices.cast(pa.int64()).fill_null(len(plain) - 1)
    return CodedTexts(plain, places.to_numpy(zero_copy_only=False))


def _plain(cells: pa.Array, absent: Sequence[str], decimal: str) -> Float64 | None:
    """Texts that are all plain numbers or one of `absent`; None if any other text is among them."""
    is_absent = pc.is_in(cells, value_set=pa.array(absent, cells.type))
    filled = pc.if_else(is_absent, pa.scalar(None, cells.type), cells)
    if decimal != ".":
        if pc.any(pc.match_substring(filled, ".")).as_py():
            return None
        filled = pc.replace_substring(filled, decimal, ".")
    try:
        values = filled.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    found: Float64 = values.fill_null(np.nan).to_numpy(zero_copy_only=False)
    return found


def _without(values: Float64, missing: Collection[str]) -> Float64:
    """NaN for infinite values, and for those that are missing-value markers."""
    found = np.where(np.isfinite(values), values, np.nan)
    listed = [value for value in map(_number, missing) if value is not None]
    return np.where(np.isin(found, listed), np.nan, found) if listed else found


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if np.isfinite(value) else None
