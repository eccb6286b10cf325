"""The alerts name metrics that exist, and docs/alerts.md says of each what to do."""

from __future__ import annotations

import re

import pytest

from tests.contracts.queries import RULES, alerts, faults
from tests.contracts.root import ROOT


@pytest.mark.parametrize("name", alerts())
def test_an_alert_names_what_nodes_show(name: str) -> None:
    assert faults(alerts()[name]["expr"]) == []


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("rate(fraud_decision_total[5m])", "no metric fraud_decision_total"),
        ("sum by (variants) (rate(fraud_votes_total[5m]))", "no label variants"),
        ('fraud_votes_total{state="ok"} > 0', "no label state"),
        ("histogram_quantile(0.5, rate(fraud_batch_rows[5m]))", "no metric fraud_batch_rows"),
    ],
)
def test_a_wrong_name_is_found(query: str, fault: str) -> None:
    assert faults(query) == [fault]


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_how_bad_it_is_and_where_to_read_on(name: str) -> None:
    rule = alerts()[name]
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["runbook"] == f"docs/alerts.md#{name.lower()}"


def test_the_page_has_a_heading_for_each_alert_and_no_other() -> None:
    page = (ROOT / "docs" / "alerts.md").read_text()
    assert re.findall(r"^### (.+)$", page, re.MULTILINE) == list(alerts_in_order())


def alerts_in_order() -> list[str]:
    """As the page has them: what clients notice first."""
    files = ("service", "decisions", "log", "models")
    assert {path.stem for path in RULES.glob("*.yml")} == set(files)
    return [
        name
        for file in files
        for name in re.findall(r"- alert: (\w+)", (RULES / f"{file}.yml").read_text())
    ]
