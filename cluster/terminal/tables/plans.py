"""Plans and their activations as tables."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

_MOST_REASON_CHARS = 60


def plans_table(plans: list[dict[str, Any]]) -> Table | str:
    """Return a table of plans."""
    if not plans:
        return "there are no plans: the first training stores one, and so does `quorum plan apply`"
    table = _table("plan", "kind", "of", "", "stored", "by", "reason")
    for plan in plans:
        table.add_row(
            escape(f"{plan['name']} v{plan['version']}"),
            escape(plan["kind"] or "?"),
            escape(plan["owner"] or "the house"),
            "active" if plan["active"] else "",
            f"{plan['created_at']:%Y-%m-%d %H:%M}",
            escape(plan["author"]),
            _reason(plan["reason"]),
            style="bold" if plan["active"] else None,
        )
    return table


def activations_table(activations: list[dict[str, Any]]) -> Table | str:
    """Return a table of activations."""
    if not activations:
        return "no activation is on record"
    table = _table("since", "plan", "before", "by", "reason")
    for each in activations:
        by = f"{each['author']} (automatic)" if each["automatic"] else each["author"]
        table.add_row(
            f"{each['activated_at']:%Y-%m-%d %H:%M:%S}",
            _named(each["plan"], "the house's"),
            _named(each["previous"], "-"),
            escape(by),
            _reason(each["reason"]),
        )
    return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column(title)
    return table


def _named(plan: dict[str, Any] | None, none: str) -> str:
    return none if plan is None else escape(f"{plan['name']} v{plan['version']}")


def _reason(text: str) -> str:
    line = " ".join(text.split())
    return escape(line if len(line) <= _MOST_REASON_CHARS else f"{line[: _MOST_REASON_CHARS - 1]}…")
