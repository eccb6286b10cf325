"""The names of a file's columns, checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bulk.files.refused import FileRefused
from bulk.jobs.paths import RESERVED

MAX_COLUMNS: Final = 2_000
MAX_NAME: Final = 300
"""Characters of a name."""


def check_names(names: Sequence[str], line: int = 0) -> None:
    """Check the names of a file's columns.

    Args:
        names: in the order of the file.
        line: of the header, for the message; 0 for files without lines.

    Raises:
        FileRefused: there is one column or too many, or a name is empty, repeated, reserved or too
            long.
    """
    if len(names) < 2:
        raise FileRefused(
            "one-column",
            "the file has one column: a table needs several; is the delimiter right?",
            line=line,
        )
    if len(names) > MAX_COLUMNS:
        detail = f"the file has {len(names):,} columns, the most are {MAX_COLUMNS:,}"
        raise FileRefused("too-many-columns", detail, line=line)
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise FileRefused("empty-name", f"column {place} has no name in the header", line=line)
        if len(name) > MAX_NAME or not name.isprintable():
            detail = f"the name of column {place} is longer than {MAX_NAME} characters or no text"
            raise FileRefused("wrong-name", detail, line=line)
        if name in RESERVED:
            raise FileRefused(
                "reserved-name", f"the name {name} is reserved: rename the column", name, line
            )
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        detail = f"{count} columns have the name {name}: rename them"
        raise FileRefused("equal-names", detail, name, line)
