"""What queries of Prometheus may name: the metrics that `/metrics` shows, and their labels."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import yaml
from prometheus_client import REGISTRY, Metric

import telemetry.exposition  # noqa: F401 - registers all of them
from tests.contracts.root import ROOT

RULES = ROOT / "deploy" / "prometheus" / "rules"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboards" / "quorum.json"

ADDED = {"up": {"job", "instance"}, "ALERTS": {"alertname", "alertstate", "severity"}}
"""What Prometheus itself makes."""
_WORDS = frozenset(("and", "or", "unless", "offset", "bool", "inf", "nan"))
_LABELS_OF = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_MATCHERS = re.compile(r"\{([^}]*)\}")


@cache
def shown() -> dict[str, set[str]]:
    """Name of each series that a node shows -> its labels, `instance` and `job` included."""
    found: dict[str, set[str]] = {}
    for collector in set(REGISTRY._names_to_collectors.values()):
        labels = set(getattr(collector, "_labelnames", ()))
        for family in _families(collector):
            if family.name.startswith("fraud_"):
                for name, more in _series(family).items():
                    found[name] = labels | more | {"instance", "job"}
    return found


def _families(collector: Any) -> list[Metric]:
    return list(getattr(collector, "describe", collector.collect)())


def _series(family: Metric) -> dict[str, set[str]]:
    match family.type:
        case "counter":
            return {f"{family.name}_total": set()}
        case "histogram":
            return {
                f"{family.name}_bucket": {"le"},
                f"{family.name}_sum": set(),
                f"{family.name}_count": set(),
            }
        case "info":
            return {f"{family.name}_info": set(family.samples[0].labels)}
        case _:
            return {family.name: set()}


def named(query: str) -> tuple[set[str], set[str]]:
    """Return the series and the labels that a query names."""
    labels: set[str] = set()
    for group in _LABELS_OF.findall(query):
        labels.update(label.strip() for label in group.split(",") if label.strip())
    rest = _LABELS_OF.sub(" ", query)
    for group in _MATCHERS.findall(rest):
        labels.update(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", group))
    rest = re.sub(r"\[[^\]]*\]|offset \w+", " ", _MATCHERS.sub(" ", rest))
    series = set(re.findall(r"\b[A-Za-z_]\w*\b(?!\s*\()", rest)) - _WORDS
    return series, labels


def faults(query: str) -> list[str]:
    """Return what a query names that no node shows."""
    series, labels = named(query)
    known = {**shown(), **ADDED}
    found = [f"no metric {name}" for name in sorted(series - set(known))]
    there = set().union(*(known.get(name, set()) for name in series))
    return found + [f"no label {label}" for label in sorted(labels - there)]


def alerts() -> dict[str, dict[str, Any]]:
    """Name of each alert -> its rule."""
    rules = [
        rule
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    return {rule["alert"]: rule for rule in rules}


def panels() -> list[dict[str, Any]]:
    """The panels of the dashboard that show something."""
    found = json.loads(DASHBOARD.read_text("utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def dashboard_queries() -> list[str]:
    """Every query of the dashboard, as Grafana sends it for all nodes."""
    return [
        target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")
        for panel in panels()
        for target in panel["targets"]
    ]
