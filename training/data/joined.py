"""Labels that lie in a second file beside the payments."""

from __future__ import annotations

from pathlib import Path

from training.data.canonical import label_codes
from training.data.cells import texts
from training.data.layout import Layout, LayoutInvalid
from training.data.source import open_source


def joined_labels(path: Path, layout: Layout) -> dict[str, bool] | None:
    """Key -> is it fraud, of the layout's second file; None if it joins none.

    It is held in memory: about 150 bytes a key.

    Raises:
        LayoutInvalid: the file's name does not lead to a second one, or that lacks a column.
        SourceUnreadable: there is no second file.
    """
    if layout.label is None or layout.label.join is None:
        return None
    field, join = layout.label, layout.label.join
    if join.replace[0] not in path.name:
        raise LayoutInvalid(
            f"layout {layout.name}: label.join.replace: {join.replace[0]} is not in {path.name}"
        )
    second = path.with_name(path.name.replace(*join.replace))
    source = open_source(second, layout.delimiter, layout.encoding)
    for column in (join.key, field.column):
        if column not in source.names():
            raise LayoutInvalid(f"layout {layout.name}: {second.name} has no column {column}")
    found: dict[str, bool] = {}
    for chunk in source.chunks(frozenset((join.key, field.column)), 0, None):
        keys = texts(chunk.columns[join.key]).to_pylist()
        codes = label_codes(chunk.columns[field.column], field.fraud, field.genuine).tolist()
        found.update((k, c == 1) for k, c in zip(keys, codes, strict=True) if c in (0, 1))
    return found
