"""Human-readable output of `quorum train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import RenderableType

_COLUMNS = {
    "average_precision": "average precision",
    "roc_auc": "ROC AUC",
    "card_precision_at_100": "card p@100",
    "recall_at_review_0.01": "recall 1 %",
    "value_caught_at_review_0.01": "value 1 %",
    "calibration_error": "calib. error",
}


def training_table(document: dict[str, Any]) -> RenderableType:
    """Return the figures of each model on the test part, and notes on the training below."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table

    window, plan = document["window"], document["plan"]
    table = Table(
        title=f"On the test part: {window['test_start'][:10]} to {window['test_end'][:10]}",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    table.add_column("model", no_wrap=True)
    for name, title in _COLUMNS.items():
        table.add_column(title, justify="right", no_wrap=name == "average_precision")
    baselines = {document["baseline"], "one-rule"}
    for model in (model for model in document["models"] if model != "ensemble"):
        name = f"{model} °" if model in baselines else model
        table.add_row(name, *_cells(document, model))
    table.add_section()
    table.add_row("ensemble", *_cells(document, "ensemble"), style="bold")
    return Group(table, *(escape(line) for line in _notes(document, plan)))


def _notes(document: dict[str, Any], plan: dict[str, Any]) -> list[str]:
    rows, frauds = document["rows"], document["frauds"]
    rule = f"; one-rule: {document['one_rule']}" if document["one_rule"] else ""
    parts = (("train", "trained on"), ("validation", "chosen on"), ("calibration", "calibrated on"),
             ("test", "tested on"))  # fmt: skip
    return [
        f"average precision with its 95 % interval; °: baseline{rule}",
        ", ".join(f"{verb} {rows[part]:,} ({frauds[part]:,} frauds)" for part, verb in parts),
        f"plan {plan['name']} v{plan['version']}{_whose(plan)}: {_weights(plan)};"
        f" {sum(document['seconds'].values()):.0f} s",
        *_stays(document),
        *document.get("short", []),
        *_ensemble_gain(document),
        *_predicted_observed(document),
        *(f"leak guard: {f['code']}: {f['sentence']}" for f in document.get("findings", [])),
        *([document["reference"]["sentence"]] if document.get("reference") else []),
        f"report: {document['report']}",
        *([f"predictions: {document['predictions']}"] if document.get("predictions") else []),
    ]


def _cells(document: dict[str, Any], model: str) -> list[str]:
    metrics, cells = document["models"][model], []
    for name in _COLUMNS:
        cell = f"{metrics[name]:.4f}" if name in metrics else "-"
        if name == "average_precision" and name in document["intervals"][model]:
            low, high = document["intervals"][model][name]
            cell = f"{metrics[name]:.3f} ({low:.3f}–{high:.3f})"
        cells.append(cell)
    return cells


def _ensemble_gain(document: dict[str, Any]) -> list[str]:
    """Compare the ensemble with its best member, on the validation and the test part."""
    contest = document.get("choices", {}).get("combiner", {}).get("contest")
    test = document.get("beside")
    if contest is None or test is None:
        return []
    return [
        f"{contest['said']}; on the test part {test['together']:.4f} together,"
        f" {test['alone']:.4f} alone"
    ]


def _predicted_observed(document: dict[str, Any]) -> list[str]:
    """Return the predicted over observed share of fraud of the ensemble, with its 95 % interval."""
    found = document.get("said_seen", {}).get("ensemble")
    if found is None:
        return []
    overall = found["overall"]
    ratio, low, high = (
        "-" if overall[end] is None else f"{overall[end]:.2f}" for end in ("ratio", "low", "high")
    )
    return [
        f"share of fraud: predicted {overall['said']:.3%}, observed {overall['seen']:.3%}:"
        f" ratio {ratio} ({low}–{high})"
    ]


def _stays(document: dict[str, Any]) -> list[str]:
    """The active plan, if it stays active instead of the trained one."""
    stays = document.get("stays")
    if stays is None:
        return []
    return [
        f"plan {stays['name']} v{stays['version']} stays active, as it has another name:"
        " `quorum plan activate` changes that"
    ]


def _whose(plan: dict[str, Any]) -> str:
    """The tenant whose own plan it is; nothing for the house's."""
    owner = plan["members"][0]["variant"].rpartition("/")[0]
    return f" of tenant {owner}" if owner else ""


def _weights(plan: dict[str, Any]) -> str:
    weights = " + ".join(f"{m['weight']:.2f}" for m in plan["members"])
    return f"{plan['combiner']} {weights}"
