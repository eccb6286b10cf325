"""The dashboard asks for metrics that exist, and shows each that an alert is about."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.contracts.queries import (
    ADDED,
    DASHBOARD,
    alerts,
    dashboard_queries,
    faults,
    named,
    panels,
)
from tests.contracts.root import ROOT

PROVISIONING = ROOT / "deploy" / "grafana" / "provisioning"


@pytest.mark.parametrize("query", dashboard_queries())
def test_a_query_names_what_nodes_show(query: str) -> None:
    assert faults(query) == []


def test_what_an_alert_is_about_can_be_seen() -> None:
    seen = set().union(*(named(query)[0] for query in dashboard_queries()))
    for name, rule in alerts().items():
        if name != "DriftNotMeasured":  # a time of day is no picture
            assert named(rule["expr"])[0] - set(ADDED) <= seen, name


def test_panels_have_an_id_each_and_do_not_overlap() -> None:
    found = panels()
    assert len({panel["id"] for panel in found}) == len(found)
    taken: set[tuple[int, int]] = set()
    for panel in found:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_data_source_is_the_provisioned_one() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())
    (source,) = sources["datasources"]
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    variable = dashboard["templating"]["list"][0]
    assert (variable["type"], variable["query"]) == ("datasource", source["type"])
    assert variable["current"]["value"] == source["uid"]
    used = {panel["datasource"]["uid"] for panel in panels()}
    assert used == {"${" + variable["name"] + "}"}


def test_grafana_looks_as_often_as_prometheus_scrapes() -> None:
    sources = yaml.safe_load((PROVISIONING / "datasources" / "prometheus.yml").read_text())
    prometheus = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())
    (source,) = sources["datasources"]
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
