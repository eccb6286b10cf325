"""Human-readable output of `quorum report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cluster.terminal.tables.plain import plain

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

_STYLES = {"promote": "green", "hold": "red", "not yet": "yellow"}
_WORDS = {"better": "green", "worse": "red", "open": "dim"}
_MEASURES = {
    "cost": "cost a payment",
    "brier": "Brier score",
    "average_precision": "average precision*",
    "frauds_stopped": "frauds stopped",
    "genuine_interrupted": "genuine interrupted",
    "value_caught": "value caught a payment",
}
_SHARES = ("frauds_stopped", "genuine_interrupted")
_SIDE_FIGURES = (
    ("average_precision", "avg prec"),
    ("recall_at_review", "recall"),
    ("value_caught_share", "value"),
    ("cost", "cost"),
    ("calibration_error", "calib"),
    ("latency_p95_ms", "p95 ms"),
)


def experiment_tables(document: dict[str, Any]) -> Group:
    """Return the recommendation for each side with its differences, and the figures of all sides;
    at most 80 columns wide."""
    from rich.console import Group

    shown: list[Any] = [_heading(document)]
    for comparison in document["comparisons"]:
        shown += ["", _recommendation(comparison)]
        if comparison["differences"]:
            shown.append(_differences(comparison))
    shown += ["", _sides(document)]
    shown += [f"Note: {note}" for note in document["notes"]]
    return Group(*(plain(part) if isinstance(part, str) else part for part in shown))


def _heading(document: dict[str, Any]) -> str:
    whole = document["sides"][0]["maturity"]
    waiting = document["label_delay"]["waiting_days"]
    return (
        f"Plan {document['plan']}, {document['from'][:10]} to {document['to'][:10]}:"
        f" {whole['decisions']:,} payments, of which {whole['counted']:,} count with"
        f" {whole['frauds']:,} frauds. A payment counts from the age of {waiting:.3g} days"
        f" ({document['label_delay']['source']})."
    )


def _recommendation(comparison: dict[str, Any]) -> Any:
    from rich.text import Text

    found = comparison["recommendation"]
    decision = found["decision"]
    sides = f"{_name(comparison['side'])} against {_name(comparison['against'])}: "
    return Text.assemble(
        (sides, "bold"), (decision, f"bold {_STYLES[decision]}"), f"\n{found['reason']}"
    )


def _differences(comparison: dict[str, Any]) -> Table:
    table = _table("* its interval holds at one look only")
    for column in ("", "difference", "from", "to", ""):
        table.add_column(column, justify="left" if not column else "right", no_wrap=True)
    for found in comparison["differences"]:
        name = found["measure"]
        cells = (_number(name, found[key]) for key in ("difference", "low", "high"))
        table.add_row(_MEASURES[name], *cells, f"[{_WORDS[found['is']]}]{found['is']}[/]")
    return table


def _sides(document: dict[str, Any]) -> Table:
    table = _table()
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=28)
    for column in (*(title for _, title in _SIDE_FIGURES), "known"):
        table.add_column(column, justify="right", no_wrap=True)
    for side in document["sides"]:
        counts = side["maturity"]
        labels = counts["labelled"] / counts["decisions"] if counts["decisions"] else 0.0
        figures = (side["figures"][name] for name, _ in _SIDE_FIGURES)
        cells = ("-" if value is None else f"{value:.3g}" for value in figures)
        table.add_row(plain(_name(side)), *cells, f"{labels:.0%}")
    return table


def _table(caption: str | None = None) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    return Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, caption=caption)


def _name(side: dict[str, Any]) -> str:
    return "the plan" if side["kind"] == "plan" else f"{side['kind']} {side['name']}"


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name in _SHARES:
        return f"{value:+.2%}"
    return f"{value:+.6f}" if name == "brier" else f"{value:+.4f}"
