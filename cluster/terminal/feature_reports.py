"""Human-readable output of `quorum features`."""

from __future__ import annotations

from typing import Any

from cluster.terminal.load_report import reason_lines

_EXPLAINED = {
    "concurrent": "decided within moments of another payment of the same entity",
    "label_in_flight": "a label of the same entity became known within moments",
}


def written_text(report: dict[str, Any]) -> str:
    """Return the summary of `quorum features write`."""
    left_out = [
        f"{report[key]:,} {text}"
        for key, text in (
            ("bad", "refused"),
            ("repeated", "repeated"),
            ("reused", "with the id of another payment"),
        )
        if report[key]
    ]
    lines = [
        f"{report['rows']:,} rows of {report['features']} features in {report['seconds']:.1f} s"
        f" ({report['rows_per_s']:,.0f}/s, {report['peak_mib']:,.0f} MiB)"
        + "".join(f", {part}" for part in left_out),
        f"{report['out']} (schema {report['schema_id']}, {report['labelled']:,} labelled)",
    ]
    if report["rejects"]:
        lines.append(f"refused rows: {report['rejects']}")
    lines += reason_lines(report)
    return "\n".join(lines)


def skew_table(report: dict[str, Any]) -> Any:
    """Return the summary of `quorum features check`, and a table of the features that differ."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    lines = [_summary(report)]
    lines += [
        f"{report[key]:,} {text}"
        for key, text in (
            ("degraded", "not compared: marked degraded, as a store was unavailable"),
            ("other_schema", "not compared: features of another schema"),
            ("retries", "retries: answered with the features of the first attempt"),
            ("loaded", "payments loaded meanwhile"),
        )
        if report[key]
    ]
    lines += [
        f"{rows:,} explained: {_EXPLAINED[reason]}"
        for reason, rows in report["explained"].items()
        if rows
    ]
    if report["examples"]:
        lines.append(f"for example {', '.join(report['examples'][:3])}")
    text = Text("\n".join(lines))
    if not report["features"]:
        return text
    table = Table("Feature", "Rows", "Unexplained", "Largest difference", box=None, pad_edge=False)
    for feature in report["features"]:
        missing = f", {feature['one_missing']:,} missing on one side"
        table.add_row(
            feature["name"],
            f"{feature['rows']:,}",
            f"{feature['unexplained']:,}",
            f"{feature['largest']:.6g}" + (missing if feature["one_missing"] else ""),
        )
    return Group(text, table)


def _summary(report: dict[str, Any]) -> str:
    if not report["checked"]:
        return (
            f"tenant {report['tenant']} has no decisions of schema {report['schema_id']} to check"
        )
    result = "SKEW" if report["skewed"] else "no skew"
    return (
        f"{result}: {report['checked']:,} decisions checked,"
        f" {report['unexplained']:,} differ without an explanation ({report['share']:.3%}),"
        f" {report['since'][:19]} to {report['until'][:19]},"
        f" {report['labels']:,} labels, {report['seconds']:.1f} s"
    )
