"""Human-readable output of `quorum references`."""

from __future__ import annotations

from typing import Any

from cluster.terminal.tables.models import size
from cluster.terminal.tables.plain import plain

_MOST_COLUMNS = 40


def references_table(document: dict[str, Any]) -> Any:
    """Return a table with a line for each version."""
    from rich.table import Table

    if not document["references"]:
        return (
            "no references: `quorum train` leaves one, `quorum references add` lists those of the"
            " artifact store"
        )
    entries = document["references"]
    # Eighty columns: what is the same for most has a column only where it differs.
    owned = any(entry["owner"] for entry in entries)
    old = any(not entry["alias"] for entry in entries)
    table = Table(box=None, pad_edge=False)
    for title in ("reference", "version", *(["owner"] if owned else []), "kind"):
        table.add_column(title, no_wrap=title == "version")
    for title in ("rows", "fraud", "avg prec"):
        table.add_column(title, justify="right", no_wrap=True)
    for title in ("trained", *(["alias"] if old else [])):
        table.add_column(title, no_wrap=True)
    for entry in entries:
        precision = entry["metrics"].get("average_precision")
        table.add_row(
            entry["name"],
            entry["version"],
            *([entry["owner"] or "house"] if owned else []),
            entry["kind"],
            f"{entry['rows']:,}",
            f"{entry['label_rate']:.2%}",
            "-" if precision is None else f"{precision:.3f}",
            entry["trained_at"][:10],
            *([entry["alias"] or "-"] if old else []),
        )
    return table


def reference_table(document: dict[str, Any]) -> Any:
    """Return the facts, models and columns of one reference, the most important columns first."""
    from rich.console import Group
    from rich.table import Table

    facts = Table(box=None, pad_edge=False, show_header=False)
    for name, fact in {
        "reference": f"{document['id']} {document['alias']}".rstrip(),
        "owner": document["owner"] or "house: every tenant may use it",
        "learnt from": f"tenant {document['tenant']}, {document['rows']:,} labelled rows,"
        f" {document['label_rate']:.2%} fraud",
        "kind": f"{document['kind']}, schema {document['schema_id']}",
        "label": document["label"] or "-",
        "trained": document["created_at"],
        "size": f"{size(document['size_bytes'])} in {document['location']}",
        "used": f"by {document['times_used']:,} jobs",
    }.items():
        facts.add_row(name, plain(fact))
    models = Table(box=None, pad_edge=False)
    for title in ("model", "family", "version", "avg prec", "ROC AUC"):
        models.add_column(title)
    for model in document["models"]:
        mark = " (scores files)" if model["variant"] == document["best"] else ""
        figures = (model["metrics"].get(n) for n in ("average_precision", "roc_auc"))
        models.add_row(
            f"{model['variant']}{mark}",
            model["family"],
            model["digest"][:12],
            *("-" if figure is None else f"{figure:.4f}" for figure in figures),
        )
    return Group(facts, "", models, "", _columns(document["columns"]))


def added_text(document: dict[str, Any]) -> str:
    """Return what was added to the table, and what is damaged."""
    damaged = [f"  {id} is damaged: {why}" for id, why in document["damaged"].items()]
    if not document["added"] and not damaged:
        return f"{document['store']} holds no references"
    lines = [f"  {one['id']} {one['alias']}".rstrip() for one in document["added"]]
    told = f"{len(lines)} references of {document['store']} are listed"
    return "\n".join([told, *lines, *damaged])


def removed_text(document: dict[str, Any]) -> str:
    """Return what was removed, and how to undo it."""
    name = document["removed"]
    return f"{name} matches no more files; `quorum references add {name}` brings it back"


def _columns(columns: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for title in ("column", "kind", "importance", "required", "empty", "looks like"):
        table.add_column(title)
    ordered = sorted(columns, key=lambda column: -column["importance"])
    for column in ordered[:_MOST_COLUMNS]:
        profile = column["profile"]
        rows = profile["rows"]
        empty = 1 - profile["filled"] / rows if rows else 0.0
        table.add_row(
            plain(profile["name"]),
            profile["kind"],
            f"{column['importance']:.1%}",
            "yes" if column["required"] else "",
            f"{empty:.1%}",
            plain(_look(profile)),
        )
    if len(ordered) > _MOST_COLUMNS:
        table.add_row(f"and {len(ordered) - _MOST_COLUMNS} more", *[""] * 5)
    return table


def _look(profile: dict[str, Any]) -> str:
    """Return a few words about the values of a column."""
    if profile["time_format"]:
        return str(profile["time_format"])
    if profile["categories"]:
        return ", ".join(f"{text} {share:.0%}" for text, share in profile["categories"][:3])
    if profile["quantiles"]:
        low, middle, high = (profile["quantiles"][at] for at in (0, 10, 20))
        return f"{low:g} to {high:g}, half below {middle:g}"
    return str(profile["pattern"])
