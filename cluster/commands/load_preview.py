"""What `quorum load` says of rows: why they were refused, and what a dry run understood."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

_MOST_REASONS = 12


def reason_lines(report: dict[str, Any]) -> list[str]:
    """A line a reason: rows, field, what is wrong, and where it was first."""
    lines = []
    for reason in report["reasons"][:_MOST_REASONS]:
        example = f": {reason['example']}" if reason["example"] else ""
        field = reason["field"] or "the row"
        where = f"(line {reason['first_line']}{example})"
        lines.append(f"  {reason['rows']:,}: {field} {reason['reason']} {where}")
    more = len(report["reasons"]) - _MOST_REASONS
    if more > 0:
        lines.append(f"  and {more} more reasons")
    for why, n in report["labels_left_out"].items():
        lines.append(f"  {n:,} labels left out, their rows are sound: {_LEFT_OUT.get(why, why)}")
    return [escape(line) for line in lines]


_LEFT_OUT = {
    "undated": "known_at is empty (see [label] undated_days)",
    "not in the second file": "the second file has no such key",
}


def preview(report: dict[str, Any]) -> str:
    """What a dry run found, for a person."""
    lines = [f"{report['file']} by layout {report['layout']}; nothing is loaded"]
    if report["written"]:
        lines.append(
            "written with " + ", ".join(f"{k} {v!r}" for k, v in report["written"].items())
        )
    if not report["rows"]:
        return escape("\n".join([*lines, "there is a header and no rows: nothing to load"]))
    lines.append(
        f"{report['rows']:,} rows read: {report['sound']:,} sound, {report['bad']:,} refused; "
        f"labels: {report['fraud']:,} fraud, {report['genuine']:,} genuine"
    )
    if report["repeated"]:
        lines.append(f"{report['repeated']:,} rows repeat a payment that came before")
    if report["reused"]:
        lines.append(f"{report['reused']:,} rows bear the id of another payment")
    width = max(map(len, report["fields"]))
    for name, field in report["fields"].items():
        understood = ", ".join(field["understood"]) or "nothing"
        lines.append(f"  {name:<{width}}  {field['from']}: {understood}")
    if report["unread"]:
        lines.append("columns that the layout does not read: " + ", ".join(report["unread"]))
    refused = ["refused:"] if report["reasons"] else []
    return "\n".join([escape("\n".join(lines)), *refused, *reason_lines(report)])
