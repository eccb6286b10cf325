"""The reference: complete, true to the wire types, readable without a network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from typing import Any

import jsonschema
import msgspec
import pytest

from features.degraded import WITHOUT_HISTORY
from fraud.access.tiers import TIERS
from fraud.combine.combine import RULES_ONLY
from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.label import SOURCES
from fraud.payment.transaction import CHANNELS, TYPES
from fraud.reasons.catalogue import CODES
from serve_app.http.asgi import FrontSettings
from serve_app.http.problems import KINDS
from serve_app.http.reference import examples
from serve_app.http.reference.openapi import document
from serve_app.http.wire import label_schemas, meanings, plan_schemas, schemas
from settings.settings import Settings
from tests.contracts.front import NOW_MS, Front, payment


def refs(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(refs(v) for v in node.values()))
    return set().union(*(refs(v) for v in node)) if isinstance(node, list) else set()


def test_every_reference_leads_somewhere() -> None:
    for ref in refs(document()):
        node = document()
        for part in ref.removeprefix("#/").split("/"):
            node = node[part]


def test_every_route_is_in_it_and_nothing_else() -> None:
    routes = {
        (method.lower(), route.path)
        for router in __import__("serve_app.http.rest", fromlist=["ROUTERS"]).ROUTERS
        for route in router.routes
        for method in route.methods
    }
    hot = {("post", "/v1/decisions"), ("post", "/v1/decisions/batch")}
    written = {(m, p) for p, methods in document()["paths"].items() for m in methods}
    assert written == routes | hot


def test_every_kind_of_problem_is_in_it() -> None:
    text = msgspec.json.encode(document()).decode()
    for slug in set(KINDS) - {"method-not-allowed"}:
        assert f"urn:quorum:problem:{slug}" in text


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        (examples.DECISION, schemas.DecisionOut),
        (examples.LABEL, schemas.LabelOut),
        (examples.PROBLEM, schemas.ProblemOut),
        (examples.VARIANTS, schemas.VariantsOut),
        (examples.ACTIVE_PLAN, plan_schemas.ActivePlanOut),
        (examples.TRANSACTION, schemas.TransactionIn),
        (examples.KEPT_DECISION, schemas.KeptDecisionOut),
        (examples.PAGE, schemas.DecisionsOut),
        (examples.LABEL_OF, label_schemas.LabelOfTransactionIn),
    ],
)
def test_examples_are_what_they_show(example: Any, kind: type) -> None:
    msgspec.json.decode(msgspec.json.encode(example), type=kind)
    schema = {"$ref": f"#/components/schemas/{kind.__name__}", **document()}
    jsonschema.Draft202012Validator(schema).validate(example)


def test_unknown_fields_are_refused_in_writing_too() -> None:
    for name in (
        *("TransactionIn", "BatchIn", "LabelIn", "LabelBatchIn"),
        *("LabelOfTransactionIn", "LabelOfDecisionIn"),
    ):
        assert document()["components"]["schemas"][name]["additionalProperties"] is False


def untyped(schema: Any, at: str = "") -> list[str]:
    """Where a schema leaves open what a value is."""
    if not isinstance(schema, dict):
        return []
    ways = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    found = [] if schema.keys() & {"type", "$ref"} or ways else [at]
    inner = {f"{at}/{i}": way for i, way in enumerate(ways)}
    inner |= {f"{at}/{name}": field for name, field in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        inner[f"{at}/items"] = schema.get("items", {})
    if "additionalProperties" in schema:
        inner[f"{at}/*"] = schema["additionalProperties"]
    return [*found, *(place for key, value in inner.items() for place in untyped(value, key))]


def test_every_value_has_a_type() -> None:
    for name, schema in document()["components"]["schemas"].items():
        assert untyped(schema, name) == []
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            for status, answer in operation["responses"].items():
                for shape in answer["content"].values():
                    assert untyped(shape["schema"], f"{method} {path} {status}") == []


def test_rows_of_a_batch_are_one_of_two_types() -> None:
    parts = document()["components"]["schemas"]
    for name, row in (("ResultsOut", "DecisionOut"), ("LabelResultsOut", "LabelOut")):
        items = parts[name]["properties"]["results"]["items"]
        ways = [f"#/components/schemas/{way}" for way in (row, "ProblemOut")]
        assert items == {"oneOf": [{"$ref": way} for way in ways]}


def test_limits_of_rows_are_those_that_are_set() -> None:
    for rows in (1000, 7):
        parts = document(rows)["components"]["schemas"]
        assert parts["BatchIn"]["properties"]["transactions"]["maxItems"] == rows
        assert parts["LabelBatchIn"]["properties"]["labels"]["maxItems"] == rows
        assert document(rows)["paths"]["/v1/decisions/batch"]["post"]["summary"].count(f"{rows:,}")


def test_every_word_of_an_answer_has_its_meaning() -> None:
    parts = document()["components"]["schemas"]
    fields = parts["DecisionOut"]["properties"]
    assert set(fields["decision"]["enum"]) == set(meanings.OUTCOMES)
    assert set(fields["risk_level"]["enum"]) == set(meanings.RISK_LEVELS) == set(RISK_LEVELS)
    assert set(parts["TransactionIn"]["properties"]["type"]["enum"]) == set(meanings.TYPES)
    assert parts["ReasonOut"]["properties"]["code"]["enum"] == list(CODES)
    assert {*WITHOUT_HISTORY, RULES_ONLY} == set(meanings.DEGRADED)
    votes = set(parts["VoteOut"]["properties"]["status"]["enum"]) - {"ok"}
    assert votes <= set(meanings.VARIANT_STATUSES)
    assert set(KINDS) == set(meanings.PROBLEMS)
    assert set(schemas.OutcomeName.__args__) == set(OUTCOMES)  # type: ignore[attr-defined]


async def test_answers_are_what_the_document_says() -> None:
    schema = {"$ref": "#/components/schemas/DecisionOut", **document()}
    async with Front().client() as client:
        answer = (await client.post("/v1/decisions", json=payment())).json()
        jsonschema.Draft202012Validator(schema).validate(answer)
        schema = {"$ref": "#/components/schemas/ResultsOut", **document()}
        rows = [payment(), payment(metadata={"order": "17"}), payment(type="gift")]
        answers = (await client.post("/v1/decisions/batch", json={"transactions": rows})).json()
        jsonschema.Draft202012Validator(schema).validate(answers)
        served = await client.get("/openapi.json")
    assert served.json() == msgspec.json.decode(msgspec.json.encode(document()))
    assert served.headers["content-type"] == "application/json"


async def test_the_page_loads_nothing_and_names_everything() -> None:
    async with Front().client({}) as client:
        response = await client.get("/docs")
    assert response.status_code == 200
    assert "default-src 'none'" in response.headers["content-security-policy"]
    page = response.text
    assert not re.findall(r"<script|<link|<img|@import|url\(|https?://", page)
    for path in document()["paths"]:
        assert path in page
    anchors = set(re.findall(r'href="#([^"]+)"', page))
    assert anchors <= set(re.findall(r'id="([^"]+)"', page))


async def test_the_guide_s_calls_work_and_its_style_is_the_only_one_allowed() -> None:
    front = Front()
    async with front.client() as client:
        response = await client.get("/docs")
        calls = [
            html.unescape(text) for text in re.findall("<pre>(.*?)</pre>", response.text, re.S)
        ]
        bodies = [re.search(r"-d '(\{.*\})'", call, re.S) for call in calls]
        found = [(call, body[1]) for call, body in zip(calls, bodies, strict=True) if body]
        assert len(found) >= 3
        for call, body in found:
            path = re.search(r"\$QUORUM(\S+)", call)
            assert path is not None
            text = body.replace("'$(date -u +%FT%TZ)'", "2026-03-01T12:00:00Z")
            text = text.replace("[ ... ]", json.dumps([payment()]))
            sent = await client.post(path[1], json=json.loads(text))
            assert sent.status_code in (200, 201), sent.text
    style = re.findall("<style>(.*?)</style>", response.text, re.S)
    assert len(style) == 1
    digest = base64.b64encode(hashlib.sha256(style[0].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in response.headers["content-security-policy"]
    assert " style=" not in response.text


async def test_the_guide_says_how_to_send_the_key_and_what_every_word_means() -> None:
    async with Front().client({}) as client:
        text = (await client.get("/docs")).text
    words = [*OUTCOMES, *RISK_LEVELS, *TYPES, *CHANNELS, *CODES, *SOURCES, *KINDS, *TIERS]
    for word in (*words, *WITHOUT_HISTORY, "X-API-Key", "Authorization: Bearer", "Retry-After"):
        assert word in text, word


def test_front_settings_default_to_the_settings() -> None:
    assert FrontSettings.of(Settings()) == FrontSettings()
    assert NOW_MS
