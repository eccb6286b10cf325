"""Human-readable output of `quorum models`."""

from __future__ import annotations

from typing import Any

from models.store.alias import CHAMPION

_FIGURES = {
    "average_precision": "avg precision",
    "roc_auc": "ROC-AUC",
    "card_precision_at_100": "card prec@100",
    "recall_at_review_0.01": "recall 1 %",
    "brier": "Brier",
    "calibration_error": "calib. error",
}
_LISTED = {"average_precision": "avg prec", "calibration_error": "calib"}


def versions_table(document: dict[str, Any]) -> Any:
    """Return a table with a line for each version."""
    from rich.table import Table

    if not document["models"]:
        return f"no models in {document['store']}; run `quorum train`"
    table = Table(box=None, pad_edge=False)
    table.add_column("variant", no_wrap=True)
    table.add_column("version", no_wrap=True)
    table.add_column("aliases", overflow="fold")
    for title in _LISTED.values():
        table.add_column(title, justify="right", no_wrap=True)
    tenants = {model["tenant"] for model in document["models"]}
    whose = ["tenant"] if len(tenants) > 1 else []
    for title in (*whose, "no.", "trained"):
        table.add_column(title, no_wrap=True)
    before = None
    for model in document["models"]:
        first = model["variant"] != before
        before = model["variant"]
        notes = sorted(model["aliases"], key=lambda alias: (not alias.endswith(CHAMPION), alias))
        notes += [] if model["in_step"] else ["MLflow lags"]
        notes += ["damaged"] if model["fault"] else [] if model["served"] else ["other features"]
        table.add_row(
            model["variant"] if first else "",
            model["version"],
            ", ".join(notes),
            *(_figure(model["metrics"], name) for name in _LISTED),
            *([model["tenant"] or "-"] if whose else []),
            str(model["registered"] or "-"),
            (model["trained_at"] or "-")[:10],
        )
    return table


def model_table(document: dict[str, Any]) -> Any:
    """Return the facts, figures and champions' history of one version."""
    from rich.console import Group
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    training = document["training"]
    window, rows = training.get("window", {}), training.get("rows", {})
    facts = {
        "model": f"{document['variant']} {document['version']}",
        "aliases": ", ".join(document["aliases"]) or "none",
        "digest": document["digest"],
        "schema": f"{document['schema_id']}, {'as served' if document['served'] else 'not served'}",
        "runs on": f"{document['runtime']}, {document['n_features']} features,"
        f" {size(document['size_bytes'])}",
        "registered": f"MLflow {document['registered'] or '-'},"
        f" {document['trained_at'] or '-'}, run {document['run_id'] or '-'}",
        "learnt from": f"tenant {document['tenant'] or '-'}",
        "trained on": f"{rows.get('train', 0):,} payments, {window.get('train_start', '-')[:10]}"
        f" to {window.get('train_end', '-')[:10]}, seed {training.get('seed', '-')}",
        "tested on": f"{rows.get('test', 0):,} payments, {window.get('test_start', '-')[:10]}"
        f" to {window.get('test_end', '-')[:10]}",
    }
    for name, fact in facts.items():
        table.add_row(name, fact)
    if not document["metrics"]:
        return Group(table, "", _history(document["champions"]))
    figures = Table(box=None, pad_edge=False)
    figures.add_column("figure")
    figures.add_column("", justify="right")
    for name, value in document["metrics"].items():
        figures.add_row(_FIGURES.get(name, name), f"{value:.4f}")
    return Group(table, "", figures, "", _history(document["champions"]))


def comparison_table(document: dict[str, Any]) -> Any:
    """Return the figures of two models side by side."""
    from rich.table import Table

    a, b, d = document["a"], document["b"], document["difference"]
    table = Table(
        title=_ground(document["ground"]),
        caption=f"average precision differs by {d['difference']:+.4f},"
        f" 95 % interval [{d['low']:+.4f}, {d['high']:+.4f}]",
    )
    table.add_column("figure")
    for side in (a, b):
        table.add_column(f"{side['variant']} {side['version']}", justify="right")
    for name in a["figures"]:
        if name in b["figures"]:
            cells = (_figure(side["figures"], name) for side in (a, b))
            table.add_row(_FIGURES.get(name, name), *cells)
    return table


def gates_table(document: dict[str, Any]) -> Any:
    """Return a line for each gate, with its figure."""
    from rich.table import Table
    from rich.text import Text

    ground = document["ground"]
    table = Table(title=None if ground is None else _ground(ground))
    for title in ("gate", "model", "", "finding"):
        table.add_column(title)
    for gate in document["gates"]:
        result = "[green]passed[/green]" if gate["passed"] else "[red]failed[/red]"
        table.add_row(gate["name"], gate["subject"], result, Text(gate["said"]))
    return table


def promotion_table(document: dict[str, Any]) -> Any:
    """Return the gates, the result, and the champions that changed."""
    from rich.console import Group
    from rich.text import Text

    parts: list[Any] = [gates_table(document)] if document.get("gates") else []
    parts.append(Text(document["said"]))
    for variant, move in document["moved"].items():
        parts.append(Text(f"  {variant}: {move['from'] or 'none'} -> {move['to']}"))
    if document["forced"]:
        parts.append(Text(f"  overruled: {', '.join(document['forced'])}"))
    if document["mlflow_lag"]:
        parts.append(Text(f"  {document['mlflow_lag']}"))
    return Group(*parts)


def push_table(document: dict[str, Any]) -> Any:
    """Return what a push would send."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("variant", "version", "action"):
        table.add_column(title)
    for artifact in document["artifacts"]:
        files = artifact["files"]
        to_send = (
            f"send {files} files, {size(artifact['size_bytes'])}" if files else "already there"
        )
        table.add_row(artifact["variant"], artifact["version"], to_send)
    aliases = [Text(f"{name} moves to {v}") for name, v in document["aliases"].items()]
    return Group(table, *aliases, Text(estimate_text(document)))


def estimate_text(document: dict[str, Any]) -> str:
    """Return how much a push would send."""
    return (
        f"{document['files']} files, {size(document['bytes'])} ({document['bytes']:,} bytes),"
        f" {len(document['aliases'])} aliases to {document['destination']}"
    )


def sent_text(document: dict[str, Any]) -> str:
    """Return what a push has sent."""
    if not document["sent_files"] and not document["aliases"]:
        return f"{document['destination']} is up to date: {len(document['artifacts'])} models"
    return (
        f"{document['sent_files']} files sent, {len(document['aliases'])} aliases moved,"
        f" {len(document['artifacts'])} models in {document['destination']}"
    )


def rolled_back_text(document: dict[str, Any]) -> str:
    """Return what the aliases of another store name after a rollback."""
    lines = [f"  {name} names {to or 'nothing'}" for name, to in document["aliases"].items()]
    return "\n".join([f"{document['destination']}: the last push is rolled back", *lines])


def faults_text(document: dict[str, Any]) -> str:
    """Return what a verification found."""
    if not document["faults"]:
        return f"{document['destination']}: {document['whole']} models intact by their digests"
    lines = "\n".join(f"  {fault}" for fault in document["faults"])
    return f"{document['destination']}: {document['whole']} models intact, faults:\n{lines}"


def size(n: float) -> str:
    """Return a number of bytes with a unit."""
    return f"{n / 2**20:.1f} MiB" if n >= 2**20 else f"{n / 2**10:.1f} KiB"


def _history(champions: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    if not champions:
        return "never champion"
    table = Table(box=None, pad_edge=False, title="champions", title_justify="left")
    for title in ("when", "version", "how", "reason"):
        table.add_column(title)
    for move in reversed(champions):
        table.add_row(move["at"] or "-", move["version"], move["how"], move["reason"])
    return table


def _ground(ground: dict[str, Any]) -> str:
    return (
        f"{ground['start'][:10]} to {ground['end'][:10]}: {ground['rows']:,} labelled payments,"
        f" {ground['frauds']:,} frauds"
    )


def _figure(figures: dict[str, float], name: str) -> str:
    return f"{figures[name]:.4f}" if name in figures else "-"
