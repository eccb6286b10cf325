"""The reference: complete, true to the wire types, readable without a network."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import msgspec
import pytest

from fraud.settings import Settings
from serve_app import examples, schemas
from serve_app.asgi import FrontSettings
from serve_app.openapi import document
from serve_app.problems import KINDS
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
        for router in __import__("serve_app.rest", fromlist=["ROUTERS"]).ROUTERS
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
        (examples.ACTIVE_PLAN, schemas.ActivePlanOut),
        (examples.TRANSACTION, schemas.TransactionIn),
    ],
)
def test_examples_are_what_they_show(example: Any, kind: type) -> None:
    msgspec.json.decode(msgspec.json.encode(example), type=kind)
    schema = {"$ref": f"#/components/schemas/{kind.__name__}", **document()}
    jsonschema.Draft202012Validator(schema).validate(example)


def test_unknown_fields_are_refused_in_writing_too() -> None:
    for name in ("TransactionIn", "BatchIn", "LabelIn"):
        assert document()["components"]["schemas"][name]["additionalProperties"] is False


async def test_answers_are_what_the_document_says() -> None:
    schema = {"$ref": "#/components/schemas/DecisionOut", **document()}
    async with Front().client() as client:
        answer = (await client.post("/v1/decisions", json=payment())).json()
        jsonschema.Draft202012Validator(schema).validate(answer)
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


def test_front_settings_default_to_the_settings() -> None:
    assert FrontSettings.of(Settings()) == FrontSettings()
    assert NOW_MS
