"""What `quorum wal` prints for people."""

from __future__ import annotations

from typing import Any

_MIB = 1024 * 1024


def writers_table(report: dict[str, Any]) -> Any:
    """Return what `quorum wal list` prints: a line for each writer, then the dead letters."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("writer", "state", "MiB", "entries", "records waiting", "oldest"):
        table.add_column(title)
    for writer in report["writers"]:
        age_s = writer["oldest_age_s"]
        table.add_row(
            writer["writer"],
            "alive" if writer["alive"] else "dead",
            f"{writer['bytes'] / _MIB:.1f}",
            f"{writer['entries']:,}" + _unreadable(writer["unreadable"]),
            f"{writer['rows']:,}",
            "-" if age_s is None else f"{age_s:,.1f} s ago",
        )
    first = table if report["writers"] else Text("no writer has a folder here")
    return Group(first, *map(Text, _dead_letters(report["dead_letters"])))


def shipped_table(report: dict[str, Any]) -> Any:
    """Return what `quorum wal ship` prints: a line for each writer, then what needs a person."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if not report["writers"]:
        first: Any = Text("nothing waits here: no writer has left a folder")
        return Group(first, *map(Text, _dead_letters(report["dead_letters"])))
    table = Table(box=None, pad_edge=False)
    for title in ("writer", "entries", "records", "there already", "folder"):
        table.add_column(title)
    for writer in report["writers"]:
        table.add_row(
            writer["writer"],
            f"{writer['entries']:,}",
            f"{writer['rows']:,}",
            f"{writer['repeated']:,}",
            f"stays: {writer['stays']}" if writer["stays"] else "removed",
        )
    lines = [line for writer in report["writers"] for line in _troubles(writer, report)]
    return Group(table, *map(Text, [*lines, *_dead_letters(report["dead_letters"])]))


def _troubles(writer: dict[str, Any], report: dict[str, Any]) -> list[str]:
    name, lines = writer["writer"], []
    if writer["set_aside"]:
        lines.append(f"{name}: {writer['set_aside']:,} set aside in {report['set_aside_in']}")
    if writer["damaged_bytes"]:
        where = writer["folder"] if writer["kept"] else report["set_aside_in"]
        lines.append(
            f"{name}: {writer['damaged_bytes']:,} bytes cannot be read; the file is in {where}"
        )
    if writer["torn_bytes"]:
        lines.append(
            f"{name}: ends in {writer['torn_bytes']:,} bytes of a write that was never answered"
        )
    return lines


def _unreadable(entries: int) -> str:
    return f", {entries:,} unreadable" if entries else ""


def _dead_letters(files: Any) -> list[str]:
    if not files:
        return []
    n = f"{len(files)} file{'s' * (len(files) > 1)}"
    return [f"set aside earlier: {n} in {files[0].parent}, see docs/operating.md"]
