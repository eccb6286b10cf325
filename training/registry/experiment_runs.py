"""The figures of an experiment in MLflow: a run for each arm, shadow and variant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from training.registry.mlflow_registry import Registry

EXPERIMENT_RUN = {"kind": "experiment"}
"""The tags of a run that holds the figures of one side of an experiment."""

Document = Mapping[str, Any]


def log_report(registry: Registry, report: Document, page: str, tenant: str) -> list[str]:
    """Log a run for each side of a report.

    A run is named after plan and side. Its metrics are the side's figures on all of its payments
    and, where it is compared, `vs_<measure>`, `vs_<measure>_low` and `vs_<measure>_high`: what it
    has more than the other. Its tags name the plan, its versions, the models behind the side, and
    the recommendation. The plan's own run holds the whole report, as JSON and as a page.

    Args:
        report: from `experiments.report.Report.to_document`.
        page: from `Report.to_page`.
        tenant: whose payments they are.

    Returns:
        The ids of the runs, in the order of the sides.
    """
    compared = {_who(c["side"]): c for c in report["comparisons"]}
    logged = []
    for side in report["sides"]:
        comparison = compared.get(_who(side))
        with registry.run(_name(report, side), _tags(report, side, comparison, tenant)) as run:
            registry.log(run, _parameters(report), _metrics(side, comparison))
            if side["kind"] == "plan":
                registry.log_document(run, report, "report.json")
                registry.log_text(run, page, "report.html")
            logged.append(str(run.info.run_id))
    return logged


def _who(side: Document) -> tuple[str, str]:
    return side["kind"], side["name"]


def _name(report: Document, side: Document) -> str:
    return " ".join(part for part in (report["plan"], side["kind"], side["name"]) if part)


def _tags(
    report: Document, side: Document, comparison: Document | None, tenant: str
) -> dict[str, str]:
    tags = {
        **EXPERIMENT_RUN,
        "tenant": tenant,
        "plan": report["plan"],
        "plan_versions": ",".join(map(str, report["plan_versions"])),
        "side": side["kind"],
        "name": side["name"],
        "models": ",".join(side["models"]),
    }
    if comparison is not None:
        against = comparison["against"]
        tags |= {
            "against": " ".join(part for part in _who(against) if part),
            "recommendation": comparison["recommendation"]["decision"],
            "mlflow.note.content": comparison["recommendation"]["reason"],
        }
    return tags


def _parameters(report: Document) -> dict[str, Any]:
    return {
        "from": report["from"],
        "to": report["to"],
        "waiting_days": report["label_delay"]["waiting_days"],
        "unlabelled": report["unlabelled"],
        "decides_by": report["decides_by"],
    }


def _metrics(side: Document, comparison: Document | None) -> dict[str, float]:
    figures = side["figures"]
    metrics = {name: value for name, value in figures.items() if isinstance(value, int | float)}
    metrics |= {f"outcome_{name}": share for name, share in (figures["outcomes"] or {}).items()}
    metrics |= side["maturity"]
    for difference in () if comparison is None else comparison["differences"]:
        measured = {"": "difference", "_low": "low", "_high": "high"}
        for ending, key in measured.items():
            if difference[key] is not None:
                metrics[f"vs_{difference['measure']}{ending}"] = difference[key]
    return metrics
