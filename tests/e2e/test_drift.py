"""Drift of a running Quorum: by command, and as metrics."""

from __future__ import annotations

import asyncio
import re
import time

from features.definitions import NAMES
from tests.contracts.payments import payments
from tests.e2e.conftest import Quorum
from tests.e2e.test_parity import decide, served

ROWS = 400
SHOWN = 'fraud_score_psi{model="ensemble",owner=""}'


def test_payments_unlike_those_of_the_training_are_noticed(quorum: Quorum) -> None:
    key = quorum.json("keys", "create", "--name", "drift", "--tenant", "drift")["key"]
    batch = payments(ROWS, seed=21, customers=60, late=0.0, duplicate=0.0, prefix="drift")
    asyncio.run(served(quorum.database_url, "drift", decide(quorum, key, batch, 100)))
    report = quorum.json("drift", "--tenant", "drift")
    assert report["decisions"] == ROWS
    assert report["foreign"] == 0
    assert {f["name"] for f in report["features"]} == set(NAMES)
    assert report["largest_psi"] > 0.25  # of another world than the one that was generated
    models = {"ensemble", "xgboost", "random-forest", "logistic", "isolation-forest"}
    asked = {s["name"]: s["rows"] for s in report["scores"] if s["rows"]}
    assert {"ensemble", "isolation-forest"} < set(asked) <= models
    assert set(asked.values()) == {ROWS}
    shown = ""
    deadline = time.monotonic() + 90
    with quorum.client() as client:
        while SHOWN not in shown and time.monotonic() < deadline:
            time.sleep(1)
            shown = client.get("/metrics").text
    assert SHOWN in shown
    assert shown.count("fraud_feature_psi{") == len(NAMES)
    busy = re.findall(r'^fraud_variant_busy_seconds_total\{variant="(.*)"\} (.*)$', shown, re.M)
    assert {name for name, seconds in busy if float(seconds) > 0} == set(asked) - {"ensemble"}
    assert re.search(r'^fraud_build_info\{.*version="\d.*\} 1', shown, re.M)
