"""Text without markup, and tables of it."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from cluster.terminal.tables.plain import columns_table, plain


def shown(renderable: Any, width: int = 80) -> str:
    console = Console(width=width)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_brackets_are_shown_and_close_nothing() -> None:
    assert shown(plain("a[/b] [red]c[/red]")) == "a[/b] [red]c[/red]\n"


def test_numbers_stand_on_the_right_and_whole_cells_are_not_broken() -> None:
    table = columns_table("job", "rows", "file", numbers=("rows",), whole=("job",))
    table.add_row("0123456789", "7", "a-file-with-a-long-name")
    table.add_row("abcdefghij", "1,234", "b")
    *folded, second = shown(table, width=30).splitlines()[3:-1]
    assert "0123456789" in folded[0]
    assert "".join(line.split()[-1] for line in folded) == "a-file-with-a-long-name"
    assert folded[0].index(" 7 ") + 1 == second.index("1,234") + len("1,23")
