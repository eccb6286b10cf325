"""A running Quorum takes out an arm that blocks too much, while payments go on."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from tests.contracts.payments import payments
from tests.e2e.conftest import Quorum
from tests.e2e.test_parity import body_of

ROWS = 3_000
BATCH = 20
WITHIN_S = 120.0


def test_an_arm_that_blocks_nearly_everybody_is_gone_by_itself(
    quorum: Quorum, tmp_path: Path
) -> None:
    leaf = {"kind": "single", "members": [{"variant": "xgboost", "weight": 1}]}
    strict = {"challenge": 1e-6, "review": 2e-6, "block": 3e-6}
    plan = {
        "name": "rail",
        "kind": "ab",
        "salt": "e2e",
        "arms": [
            {
                "name": "control",
                "weight": 50,
                "plan": leaf | {"thresholds": {"challenge": 0.5, "review": 0.7, "block": 0.99}},
            },
            {"name": "new", "weight": 50, "plan": leaf | {"thresholds": strict}},
        ],
        "guard": {"block_rate": [0, 0.5], "min_decisions": 50},
    }
    file = tmp_path / "rail.json"
    file.write_text(json.dumps(plan))
    quorum.run("plan", "apply", str(file), "--activate", "--tenant", "rail")
    key = quorum.json("keys", "create", "--name", "rail", "--tenant", "rail")["key"]
    batch = payments(ROWS, seed=31, customers=400, late=0.0, duplicate=0.0, prefix="rail")
    decided: list[tuple[int, str, str]] = []
    began = time.monotonic()
    with quorum.client(key) as client:
        # The plan is heard of within two seconds; until then the house's decides.
        for start in range(0, ROWS, BATCH):
            bodies = [body_of(batch, i) for i in range(start, start + BATCH)]
            got = client.post("/v1/decisions/batch", json={"transactions": bodies})
            assert got.status_code == 200, got.text
            results = got.json()["results"]
            assert len(results) == BATCH
            decided += [
                (r["plan"]["version"], r["plan"]["arm"], r["decision"])
                for r in results
                if r["plan"]["name"] == "rail"
            ]
            if decided and decided[-1][0] > 1:
                break
            time.sleep(0.3)
            assert time.monotonic() - began < WITHIN_S
        shown = client.get("/metrics").text
    first = [(arm, outcome) for version, arm, outcome in decided if version == 1]
    assert {arm for arm, _ in first} == {"control", "new"}
    assert {arm for version, arm, _ in decided if version == 2} == {"control"}
    blocked = [outcome == "block" for arm, outcome in first if arm == "new"]
    assert sum(blocked) > len(blocked) / 2
    (taken_out, *_) = quorum.json("plan", "list", "--history", "--tenant", "rail")
    assert taken_out["author"] == "guard-rail"
    assert taken_out["automatic"] is True
    assert taken_out["reason"].startswith("new: ")
    rail = r'^fraud_plan_guard_rail_total\{arm="new",band="block_rate",plan="rail/rail"\} 1\.0$'
    assert re.search(rail, shown, re.M)
