"""Text without markup, and a table of columns: what several tables are made of."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text


def plain(text: str, style: str = "") -> Text:
    """Return text that is shown as it is: brackets in it, such as a file's or a column's name may
    have, are not markup."""
    from rich.text import Text

    return Text(text, style)


def columns_table(
    *columns: str, numbers: Collection[str] = (), whole: Collection[str] = ()
) -> Table:
    """Return an empty table that folds long cells.

    Args:
        columns: the titles.
        numbers: titles of the columns that stand on the right.
        whole: titles of the columns whose cells are never broken.
    """
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption_justify="left")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in numbers else "left",
            no_wrap=column in whole,
            overflow="fold",
        )
    return table
