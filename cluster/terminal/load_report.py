"""Human-readable output of `quorum load`."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

_MAX_REASONS = 12
_MAX_IDS = 5


def reason_lines(report: dict[str, Any]) -> list[str]:
    """Return a line for each reason for refusing rows: how many, field, fault, first place."""
    lines = []
    for reason in report["reasons"][:_MAX_REASONS]:
        example = f": {reason['example']}" if reason["example"] else ""
        field = reason["field"] or "the row"
        where = f"(line {reason['first_line']}{example})"
        lines.append(f"  {reason['rows']:,}: {field} {reason['reason']} {where}")
    more = len(report["reasons"]) - _MAX_REASONS
    if more > 0:
        lines.append(f"  and {more} more reasons")
    for why, n in report["labels_left_out"].items():
        lines.append(f"  {n:,} labels left out, their rows are sound: {_LEFT_OUT.get(why, why)}")
    return [escape(line) for line in lines]


_LEFT_OUT = {
    "undated": "known_at is empty (see [label] undated_days)",
    "not in the second file": "the second file has no such key",
}


def preview_text(report: dict[str, Any]) -> str:
    """Return what a dry run found: how each field is read, and why rows are refused."""
    lines = [f"{report['file']} with layout {report['layout']}; nothing was loaded"]
    if report["written"]:
        lines.append(
            "file format: " + ", ".join(f"{k} {v!r}" for k, v in report["written"].items())
        )
    if not report["rows"]:
        return escape("\n".join([*lines, "the file has a header and no rows: nothing to load"]))
    lines.append(
        f"{report['rows']:,} rows read: {report['sound']:,} sound, {report['bad']:,} refused; "
        f"labels: {report['fraud']:,} fraud, {report['genuine']:,} genuine"
    )
    if report["repeated"]:
        lines.append(f"{report['repeated']:,} rows repeat a payment that came before")
    if report["reused"]:
        lines.append(f"{report['reused']:,} rows have the id of another payment")
    width = max(map(len, report["fields"]))
    for name, field in report["fields"].items():
        understood = ", ".join(field["understood"]) or "nothing"
        lines.append(f"  {name:<{width}}  {field['from']}: {understood}")
    if report["unread"]:
        lines.append("unused columns: " + ", ".join(report["unread"]))
    refused = ["refused:"] if report["reasons"] else []
    return "\n".join([escape("\n".join(lines)), *refused, *reason_lines(report)])


def load_text(report: dict[str, Any]) -> str:
    """Return the summary of a load."""
    if report["finished"] and not report["rows"] and not report["resumed_after"]:
        return escape(f"{report['file']} has a header and no rows: nothing to load")
    lines = [
        f"{report['rows']:,} rows read in {report['seconds']:.1f} s "
        f"({report['rows_per_s']:,.0f} a second): {report['loaded']:,} loaded, "
        f"{report['already_there']:,} already there, {report['labels']:,} labels"
    ]
    if report["resumed_after"]:
        lines.append(f"{report['resumed_after']:,} rows were read by an earlier run")
    if report["bad"]:
        lines.append(escape(f"{report['bad']:,} rows refused: see {report['rejects']}"))
        lines += reason_lines(report)
    if report["reused"]:
        named = [f"{one} (row {rows[0]})" for one, rows in report["reused_ids"].items()]
        more = ", ..." if len(named) > _MAX_IDS or report["reused"] > len(named) else ""
        lines.append(
            escape(
                f"{report['reused']:,} rows have the id of another payment: "
                f"{', '.join(named[:_MAX_IDS])}{more}"
            )
        )
        lines.append(
            escape(
                "they are refused, or loaded with ids of their own if the layout has"
                ' [transaction_id] repeated = "apart"'
            )
        )
    if not report["finished"]:
        lines.append(
            "the end of the file was not reached; run it again without --limit to continue"
        )
    return "\n".join(lines)
