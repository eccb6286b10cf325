"""The main job: a payment is decided, answered and recorded."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import yaml

from cluster.node.dashboard import Dashboard
from tests.e2e.conftest import Quorum

VARIANTS = {"xgboost", "random-forest", "logistic", "isolation-forest"}


def payment(**changes: object) -> dict[str, object]:
    return {
        "transaction_id": f"e2e-{uuid4().hex}",
        "customer_id": "e2e-customer",
        "timestamp": datetime.now(UTC).isoformat(),
        "amount": "129.90",
        "currency": "USD",
        "type": "purchase",
        "merchant_id": "e2e-merchant",
        "channel": "online",
        "country": "US",
    } | changes


def test_the_request_that_up_prints_can_be_pasted(quorum: Quorum) -> None:
    report = quorum.up()  # a second `up` uses what is there
    # A vote may come late while a busy machine is still starting; it does not stay so.
    for _ in range(3):
        done = subprocess.run(
            ["bash", "-c", report["curl"]], capture_output=True, text=True, check=True, timeout=30
        )
        answer = json.loads(done.stdout)
        if not answer["degraded"]:
            break
    assert answer["decision"] in ("approve", "challenge", "review", "block")
    assert 0 <= answer["risk_score"] <= 99
    assert answer["risk_level"] in ("low", "medium", "high", "critical")
    assert 0 <= answer["probability"] <= 1
    # The plan asks one model, or all of them: what beats what is the training's to say.
    assert {"isolation-forest"} < {v["name"] for v in answer["variants"]} <= VARIANTS
    assert all(v["status"] == "ok" and v["version"] for v in answer["variants"])
    assert answer["anomaly_score"] is not None
    assert answer["degraded"] is False
    assert {"features", "votes", "log"} <= answer["stage_ms"].keys()
    assert bool(answer["reasons"]) == (answer["decision"] != "approve")


def test_demo_env_names_the_url_and_a_key_that_works(quorum: Quorum) -> None:
    path = quorum.home / "demo.env"
    assert path.stat().st_mode & 0o077 == 0
    script = f'set -a; . {path}; curl -sf -H "X-API-Key: $QUORUM_API_KEY" $QUORUM_URL/v1/variants'
    listed = subprocess.run(["bash", "-c", script], capture_output=True, check=True, timeout=30)
    assert {v["name"] for v in json.loads(listed.stdout)["variants"]} >= VARIANTS


def test_history_counts_from_one_payment_to_the_next(quorum: Quorum) -> None:
    customer = f"c-{uuid4().hex[:8]}"
    with quorum.client() as client:
        ages = []
        for _ in range(3):
            answer = client.post("/v1/decisions", json=payment(customer_id=customer)).json()
            ages.append(answer["feature_age_ms"])
            time.sleep(0.05)
    assert ages[0] is None
    assert all(age is not None and 0 <= age < 60_000 for age in ages[1:])


def test_a_decision_is_on_record_and_replays(quorum: Quorum) -> None:
    with quorum.client() as client:
        answer = client.post("/v1/decisions", json=payment()).json()
        kept = client.get(f"/v1/decisions/{answer['decision_id']}").json()
    for field in ("decision", "probability", "risk_score", "variants", "reasons", "plan"):
        assert kept[field] == answer[field], field
    replayed = quorum.json("replay", answer["decision_id"])
    assert replayed["matches"] is True, replayed


def test_a_retry_gets_the_same_answer(quorum: Quorum) -> None:
    body = payment(customer_id=f"c-{uuid4().hex[:8]}")
    with quorum.client() as client:
        first, again = (client.post("/v1/decisions", json=body).json() for _ in range(2))
    assert again["probability"] == first["probability"]
    assert again["feature_age_ms"] == first["feature_age_ms"]


def test_labels_are_kept(quorum: Quorum) -> None:
    with quorum.client() as client:
        decision_id = client.post("/v1/decisions", json=payment()).json()["decision_id"]
        label = {"is_fraud": True, "source": "chargeback"}
        assert client.post(f"/v1/decisions/{decision_id}/labels", json=label).status_code == 201


def test_no_decision_without_a_key(quorum: Quorum) -> None:
    other = quorum.json("keys", "create", "--name", "other", "--tenant", "other")
    with quorum.client() as client, quorum.client(other["key"]) as stranger:
        answer = client.post("/v1/decisions", json=payment()).json()
        path = f"/v1/decisions/{answer['decision_id']}"
        assert stranger.get(path).status_code == 404
        assert client.get(path).status_code == 200
        for key in ("", "nonsense", "qk_aaaaaaaaaaaa_" + "x" * 43):
            got = client.post("/v1/decisions", json=payment(), headers={"X-API-Key": key})
            assert got.status_code == 401
            assert got.headers["content-type"] == "application/problem+json"


def test_a_batch_answers_row_by_row(quorum: Quorum) -> None:
    rows = [payment(), payment(amount="-1"), payment(currency="XXX"), payment()]
    with quorum.client() as client:
        got = client.post("/v1/decisions/batch", json={"transactions": rows})
    assert got.status_code == 200
    results = got.json()["results"]
    assert [r.get("transaction_id") for r in (results[0], results[3])] == [
        rows[0]["transaction_id"],
        rows[3]["transaction_id"],
    ]
    assert [r["errors"][0]["pointer"].rpartition("/")[2] for r in results[1:3]] == [
        "amount",
        "currency",
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/decisions", b"{", 400),
        ("POST", "/v1/decisions", b'{"amount": NaN}', 422),
        ("POST", "/v1/decisions", b"[]", 422),
        ("POST", "/v1/decisions", b'{"customer_id": "\\ud800"}', 422),
        ("POST", "/v1/decisions", b" " * (256 * 1024 + 1), 413),
        ("DELETE", "/v1/decisions", None, 405),
        ("GET", "/v1/nothing", None, 404),
    ],
)
def test_bad_requests_get_a_problem_document(
    quorum: Quorum, method: str, path: str, body: bytes | None, status: int
) -> None:
    with quorum.client() as client:
        got = client.request(
            method, path, content=body, headers={"Content-Type": "application/json"}
        )
    assert got.status_code == status, got.text
    assert got.headers["content-type"] == "application/problem+json"


def test_health_metrics_and_reference(quorum: Quorum) -> None:
    with quorum.client() as client:
        assert client.get("/v2/health/live").status_code == 200
        assert client.get("/v2/health/ready").status_code == 200
        assert client.get("/openapi.json").json()["openapi"].startswith("3.1")
        assert "/v1/decisions" in client.get("/docs").text
        exposition = client.get("/metrics").text
    for name in ("predictions_total", "prediction_latency_seconds", "api_requests_in_progress"):
        assert f"fraud_{name}" in exposition
    # Whatever the plan is: it decides, and the anomaly variant stands beside it.
    for model in ("plan", "isolation-forest"):
        assert f'model="{model}"' in exposition


def test_status_lists_every_pool(quorum: Quorum) -> None:
    status = quorum.json("status")
    shown = json.dumps(status)
    assert all(f"variant-{name}" in shown for name in VARIANTS)


def test_plain_serve_deploy_does_what_quorum_deploy_does(quorum: Quorum, tmp_path: Path) -> None:
    """The same file through either changes nothing that runs, and is taken without a flag but
    the address."""

    def replicas() -> set[str]:
        applications = Dashboard(dashboard).serve_details()
        return {
            replica["replica_id"]
            for application in applications["applications"].values()
            for deployment in application["deployments"].values()
            for replica in deployment["replicas"]
        }

    dashboard = f"http://127.0.0.1:{quorum.environment['QUORUM_DASHBOARD_PORT']}"
    config = yaml.safe_load(Path("serve_config.yaml").read_text())
    config["http_options"]["port"] = int(quorum.environment["QUORUM_HTTP_PORT"])
    path = tmp_path / "serve_config.yaml"
    path.write_text(yaml.safe_dump(config))
    before = replicas()
    subprocess.run(
        [Path(sys.executable).with_name("serve"), "deploy", "--address", dashboard, path],
        env=quorum.environment,
        check=True,
        capture_output=True,
        timeout=60,
    )
    quorum.run("deploy")
    assert replicas() == before
    with quorum.client() as client:
        assert client.post("/v1/decisions", json=payment()).status_code == 200
