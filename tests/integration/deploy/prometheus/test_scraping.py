"""A real Prometheus scrapes what a node shows: dashboard and rules find what they ask for."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cluster.embedded import daemon
from tests.contracts.ports import free_ports
from tests.contracts.queries import alerts, dashboard_queries, shown
from tests.contracts.root import ROOT
from tests.contracts.waiting import PATIENCE_S

FOLDER = ROOT / "deploy" / "prometheus"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """It has scraped two nodes at least three times."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("Prometheus is not installed: apt-get install prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    *nodes, port = free_ports(3)
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    config["global"] |= dict.fromkeys(config["global"], "1s")
    config["rule_files"] = [str(FOLDER / pattern) for pattern in config["rule_files"]]
    (job, itself) = config["scrape_configs"]
    # There is no name server of Docker's here.
    assert job.pop("dns_sd_configs")[0]["port"] == 8001
    job["static_configs"] = [{"targets": [f"127.0.0.1:{node}" for node in nodes]}]
    itself["static_configs"] = [{"targets": [f"127.0.0.1:{port}"]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    running = [_node(folder, node) for node in nodes]
    running.append(
        daemon.spawn(
            [
                *(program, f"--config.file={folder / 'prometheus.yml'}"),
                *(f"--storage.tsdb.path={folder / 'data'}", "--storage.tsdb.retention.time=30d"),
                "--storage.tsdb.retention.size=8GB",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            cwd=folder,
            log=folder / "log",
            dies_with_us=signal.SIGKILL,
        )
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            until = time.monotonic() + PATIENCE_S
            while not _scraped(client):
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.2)
            yield client
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(PATIENCE_S)


def _node(folder: Path, port: int) -> subprocess.Popen[bytes]:
    return daemon.spawn(
        [sys.executable, "-m", "tests.contracts.busy_exposition", str(port)],
        cwd=ROOT,
        log=folder / f"{port}.log",
        environment={"PATH": os.environ["PATH"]},
        dies_with_us=signal.SIGKILL,
    )


def _scraped(client: httpx.Client) -> bool:
    query = 'min(count_over_time((up{job="quorum"} == 1)[1m:1s])) >= 5'
    try:
        answer = client.get("/api/v1/query", params={"query": query})
    except httpx.TransportError:
        return False
    # While it reads its data it listens, and answers 503 in plain text.
    return answer.status_code == 200 and bool(answer.json()["data"]["result"])


def ask(client: httpx.Client, query: str) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/query", params={"query": query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["result"]
    return found


def test_every_series_of_a_node_arrives(prometheus: httpx.Client) -> None:
    for name in shown():
        assert ask(prometheus, f'count(count by (instance) ({name}{{job="quorum"}})) == 2'), name


def test_every_query_of_the_dashboard_has_an_answer(prometheus: httpx.Client) -> None:
    for query in dashboard_queries():
        assert ask(prometheus, query), query


def test_every_rule_is_read_and_evaluated(prometheus: httpx.Client) -> None:
    groups = prometheus.get("/api/v1/rules").json()["data"]["groups"]
    found = {rule["name"]: rule for group in groups for rule in group["rules"]}
    assert set(found) == set(alerts())
    assert {rule["health"] for rule in found.values()} == {"ok"}


def test_quantiles_are_those_of_what_was_observed(prometheus: httpx.Client) -> None:
    query = "histogram_quantile(0.5, sum by (le) (fraud_prediction_latency_seconds_bucket))"
    (found,) = ask(prometheus, query)
    assert 0.0025 <= float(found["value"][1]) <= 0.005
