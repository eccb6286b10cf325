"""Cells as one array of a type on which every function of Arrow works."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from data.cells.texts import texts


def plain(cells: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return the same cells in one array: texts as `string`, without dictionaries, views, runs and
    extensions."""
    if isinstance(cells, pa.ChunkedArray):
        parts = [plain(chunk) for chunk in cells.chunks]
        return pa.concat_arrays(parts) if parts else pa.array([], cells.type)
    kind = cells.type
    if pa.types.is_dictionary(kind):
        return plain(cells.dictionary).take(cells.indices)
    if pa.types.is_run_end_encoded(kind):
        return plain(pc.run_end_decode(cells))
    if isinstance(kind, pa.BaseExtensionType):
        return texts(cells).values if kind.extension_name == "arrow.uuid" else plain(cells.storage)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return cells.cast(pa.string())
    if pa.types.is_binary_view(kind) or pa.types.is_large_binary(kind):
        return cells.cast(pa.binary())
    return cells
