"""Sums over a Prometheus exposition."""

from __future__ import annotations

from loadtests.capacity.measure.exposition import mean, total

BEFORE = """# HELP fraud_batch_rows Rows of a micro-batch.
fraud_batch_rows_sum 10.0
fraud_batch_rows_count 5.0
fraud_stage_seconds_count{stage="log"} 1.0
fraud_stage_seconds_sum{stage="log"} 0.5
fraud_stage_seconds_count{stage="votes"} 7.0
"""
AFTER = """fraud_batch_rows_sum 40.0
fraud_batch_rows_count 15.0
fraud_stage_seconds_count{stage="log",pid="1"} 3.0
fraud_stage_seconds_count{stage="log",pid="2"} 2.0
fraud_stage_seconds_sum{stage="log",pid="1"} 1.5
fraud_stage_seconds_sum{stage="log",pid="2"} 1.0
"""


def test_samples_of_all_processes_add_up() -> None:
    assert total(AFTER, "fraud_stage_seconds_count", stage="log") == 5.0
    assert total(BEFORE, "fraud_stage_seconds_count") == 8.0
    assert total(AFTER, "fraud_stage_seconds_count", stage="wait") == 0.0


def test_mean_is_of_what_came_between() -> None:
    assert mean(BEFORE, AFTER, "fraud_batch_rows") == 3.0
    assert mean(BEFORE, AFTER, "fraud_stage_seconds", stage="log") == 0.5
    assert mean(BEFORE, BEFORE, "fraud_batch_rows") == 0.0
