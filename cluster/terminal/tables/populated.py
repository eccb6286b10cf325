"""What `quorum references populate` prints for people."""

from __future__ import annotations

from typing import Any

from cluster.terminal.tables.plain import plain


def populated_table(document: dict[str, Any]) -> Any:
    """Return a table of what became of each recipe of `quorum references populate`."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("reference", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for title in ("avg prec", "ROC AUC", "seconds"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("about")
    for one in document["references"]:
        figures = ("average_precision", "roc_auc")
        shown = ["-" if one[name] is None else f"{one[name]:.3f}" for name in figures]
        seconds = f"{one['seconds']:.0f}" if one["seconds"] else "-"
        about = one["why"] or one["about"]
        table.add_row(one["name"], one["kind"], one["state"], *shown, seconds, plain(about))
    return table
