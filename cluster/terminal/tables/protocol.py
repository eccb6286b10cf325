"""Human-readable output of `quorum train --protocol`: our figures beside the published ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

_COLUMNS = {
    "average_precision": "avg precision",
    "roc_auc": "ROC-AUC",
    "card_precision_at_100": "card prec@100",
    "recall_at_1pct_fpr": "recall 1 % FPR",
    "calibration_error": "calib. error",
}
_ENSEMBLE = "ensemble"


def protocol_table(document: dict[str, Any]) -> RenderableType:
    """Return a section for each split: our models, the ensemble last and bold, then the published
    figures. The findings of the leak guard are below the table."""
    from rich.console import Group
    from rich.markup import escape

    findings = (f"leak guard: {f['code']}: {f['sentence']}" for f in document["findings"])
    return Group(_table(document), *map(escape, findings))


def _table(document: dict[str, Any]) -> Table:
    from rich.table import Table

    columns = {k: v for k, v in _COLUMNS.items() if k in document["models"][_ENSEMBLE]}
    seconds = document["seconds"] + sum(
        split.get("seconds", 0.0) for split in document["splits"].values()
    )
    table = Table(
        title=document["title"],
        caption=f"{document['file']}, {document['rows_read']:,} rows, {document['features']}"
        f" features; in brackets: 95 % interval; {seconds:.0f} s",
    )
    table.add_column("model")
    for title in columns.values():
        table.add_column(title, justify="right")
    main = {**document, "title": document["split_title"]}
    for name, split in {document["split"]: main, **document["splits"]}.items():
        table.add_row(f"[italic]{_about(split)}[/italic]")
        _ours(table, split, columns)
        for row in (r for r in document["published"] if r["split"] == name):
            cells = [f"{row[c]:.3f}" if c in row else "-" for c in columns]
            table.add_row(f"{row['model']} [dim]({row['source']})[/dim]", *cells)
        table.add_section()
    return table


def _about(split: dict[str, Any]) -> str:
    if "rows" not in split:
        return str(split["title"])
    rows, frauds = split["rows"], split["frauds"]
    return (
        f"{split['title']}: trained on {rows['train']:,} rows ({frauds['train']:,} frauds),"
        f" tested on {rows['test']:,} ({frauds['test']:,})"
    )


def _ours(table: Table, split: dict[str, Any], columns: dict[str, str]) -> None:
    intervals = split.get("intervals", {})
    for model, figures in split["models"].items():
        is_ensemble = model == _ENSEMBLE
        cells = []
        for figure in columns:
            cell = f"{figures[figure]:.4f}" if figure in figures else "-"
            shown = is_ensemble and figure == "average_precision"
            between = intervals.get(model, {}).get(figure) if shown else None
            cells.append(f"{cell} [{between[0]:.3f}, {between[1]:.3f}]" if between else cell)
        # Escaped: the brackets of an interval are not markup.
        cells = [cell.replace("[", r"\[") for cell in cells]
        table.add_row(f"Quorum {model}", *cells, style="bold" if is_ensemble else None)
