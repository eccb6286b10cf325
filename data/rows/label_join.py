"""Labels in a second file beside the payments."""

from __future__ import annotations

from pathlib import Path

from data.cells.texts import texts
from data.files.chunk import SourceUnreadable
from data.files.source import open_source
from data.layout.mapping import Layout, LayoutInvalid
from data.rows.labels import OTHER, UNKNOWN, JoinedLabels, label_codes


def read_joined_labels(path: Path, layout: Layout) -> JoinedLabels | None:
    """Read the labels of the layout's second file by key; None if it joins none.

    They are held in memory, at about 150 bytes a key.

    Raises:
        LayoutInvalid: the file's name gives no second name, or the second file lacks a column.
        SourceUnreadable: there is no second file, or a line of it is broken, so that a label is
            lost.
    """
    if layout.label is None or layout.label.join is None:
        return None
    field, join = layout.label, layout.label.join
    if join.replace[0] not in path.name:
        raise LayoutInvalid(
            f"layout {layout.name}: label.join.replace: the file's name, {path.name}, does not"
            f" contain {join.replace[0]}"
        )
    second = path.with_name(path.name.replace(join.replace[0], join.replace[1]))
    source = open_source(second, layout.dialect)
    for column in (join.key, field.column):
        if column not in source.names():
            raise LayoutInvalid(f"layout {layout.name}: {second.name} has no column {column}")
    found: dict[str, int] = {}
    for chunk in source.chunks(frozenset((join.key, field.column)), 0, None):
        if chunk.bad:
            raise SourceUnreadable(f"{second}: line {chunk.bad[0].line}: {chunk.bad[0].detail}")
        keys = texts(chunk.columns[join.key], field.missing)
        if keys.unreadable.any():
            line = int(chunk.lines[int(keys.unreadable.argmax())])
            raise SourceUnreadable(
                f"{second}: line {line}: the key in column {join.key} may have lost digits"
            )
        codes = label_codes(chunk.columns[field.column], field).tolist()
        for key, code in zip(keys.values.to_pylist(), codes, strict=True):
            if key is not None and code != UNKNOWN:
                found[key] = code if found.get(key, code) == code else OTHER
    return JoinedLabels(found)
