"""Metrics of one process, and of many that share a folder."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from fraud.record import CODE_VERSION
from telemetry import metrics

COUNT = """
from telemetry import metrics
late = ("variant_late:xgboost",)
metrics.observe_decisions([0, 0, 1, 3], [late, (), ("rules_only", *late), late])
metrics.observe_vote("xgboost", "ok", 1.5, 4, 1)
metrics.observe_vote("xgboost", "missing", 0.0, 0, 0)
metrics.observe_stages({"features": 0.4, "votes": 2.0})
metrics.LOG_LAG_ROWS.set(5)
metrics.PREDICTION_LATENCY.observe(0.002)
log = metrics.LogStats()
log.dead_letters += 2
log.publish()
log.damaged_bytes += 100
log.commit_seconds += 0.5
log.publish()
log.publish()
"""
SHOW = """
import sys
from telemetry.exposition import exposition
sys.stdout.buffer.write(exposition())
"""


def run(code, folder=None):
    env = {k: v for k, v in os.environ.items() if k != "PROMETHEUS_MULTIPROC_DIR"}
    if folder is not None:
        env["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True)
    return done.stdout.decode()


def samples(text):
    return {
        (s.name, tuple(sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def check(found, times):
    def value(name, **labels):
        return found[name, tuple(sorted(labels.items()))]

    assert value("fraud_predictions_total", model="xgboost", label="fraud") == times
    assert value("fraud_predictions_total", model="xgboost", label="legitimate") == 3 * times
    assert value("fraud_predictions_total", model="plan", label="fraud") == 2 * times
    assert value("fraud_decisions_total", outcome="block") == times
    assert value("fraud_degraded_decisions_total", reason="variant_late:xgboost") == 3 * times
    assert value("fraud_degraded_decisions_total", reason="rules_only") == times
    assert value("fraud_stage_seconds_count", stage="votes") == times
    assert value("fraud_prediction_latency_seconds_bucket", le="0.0005") == 0
    assert value("fraud_prediction_latency_seconds_bucket", le="0.002") == times
    assert value("fraud_votes_total", variant="xgboost", status="ok") == times
    assert value("fraud_decision_log_dead_letters_total") == 2 * times
    assert value("fraud_decision_log_damaged_bytes_total") == 100 * times
    assert value("fraud_decision_log_commit_seconds_total") == 0.5 * times
    assert value("fraud_decision_log_torn_bytes_total") == 0, "shown before anything happens"
    assert value("fraud_votes_total", variant="xgboost", status="missing") == times
    assert value("fraud_vote_seconds_count", variant="xgboost") == times, "of those who were asked"


def test_one_process():
    found = samples(run(COUNT + SHOW))
    check(found, 1)
    assert found["fraud_detection_rate", ()] == 0.5
    assert found["fraud_api_requests_in_progress", ()] == 0


def test_processes_add_up_and_gauges_of_the_dead_go(tmp_path):
    run(COUNT, tmp_path)
    run(COUNT, tmp_path)
    found = samples(run(COUNT + SHOW, tmp_path))
    check(found, 3)
    assert found["fraud_log_lag_rows", ()] == 5


def test_the_build_is_a_metric(tmp_path):
    for folder in (None, tmp_path):
        found = samples(run(SHOW, folder))
        (labels,) = [dict(labels) for name, labels in found if name == "fraud_build_info"]
        assert labels["version"] == CODE_VERSION
        assert set(labels) == {"version", "ray", "python", "schema"}
        assert found["fraud_build_info", tuple(sorted(labels.items()))] == 1


def test_every_number_of_the_decision_log_is_a_metric():
    numbers = [f for f in dataclasses.fields(metrics.LogStats) if not f.name.startswith("_")]
    names = [f.metadata["counter"].describe()[0].name for f in numbers]
    assert names == [f"fraud_decision_log_{f.name}" for f in numbers]
    assert len(names) == 14


def test_two_logs_of_one_process_add_up():
    before = REGISTRY.get_sample_value("fraud_decision_log_taken_over_total")
    logs = metrics.LogStats(), metrics.LogStats()
    for log in logs:
        log.taken_over += 1
        log.publish()
        log.publish()
    assert REGISTRY.get_sample_value("fraud_decision_log_taken_over_total") == before + 2


def test_the_schema_that_is_named_shows_with_one_process_and_with_many(tmp_path):
    name = "from telemetry.exposition import name_schema; name_schema('abc')"
    for folder in (None, tmp_path):
        found = samples(run(name + SHOW, folder))
        (labels,) = [dict(labels) for name, labels in found if name == "fraud_build_info"]
        assert labels["schema"] == "abc"
