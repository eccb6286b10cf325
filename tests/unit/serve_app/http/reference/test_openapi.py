"""The OpenAPI document: complete, and true to what is served."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec

from serve_app.http.job_routes import JOB_ROUTES
from serve_app.http.problems import KINDS
from serve_app.http.reference.openapi import ROUTES, document
from serve_app.http.rest import build_rest
from tests.contracts.front import Front, payment


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


def test_every_path_is_in_it_and_nothing_else() -> None:
    front = Front()
    served = {route.path for route in build_rest(front.services).routes} | set(front.app.express)
    served |= {route.path for route in JOB_ROUTES}
    unlisted = {route.path for route in ROUTES if not route.is_listed}
    assert set(document()["paths"]) == served - unlisted
    written = [(m, p) for p, methods in document()["paths"].items() for m in methods]
    assert len(written) == len([route for route in (*ROUTES, *JOB_ROUTES) if route.is_listed])


def test_every_kind_of_problem_is_in_it() -> None:
    text = msgspec.json.encode(document()).decode()
    for slug in set(KINDS) - {"method-not-allowed"}:
        assert f"urn:quorum:problem:{slug}" in text


def test_every_operation_names_the_scope_that_it_needs() -> None:
    for route in (*ROUTES, *JOB_ROUTES):
        if not route.is_listed:
            continue
        operation = document()["paths"][route.path][route.method.lower()]
        needs = "" if route.scope is None else f"Needs the scope `{route.scope}`."
        assert operation.get("description", "").endswith(needs)
        assert ("403" in operation["responses"]) == (route.scope is not None)
        schemes = (
            [] if route.scope is None else [{"apiKey": [route.scope]}, {"bearer": [route.scope]}]
        )
        assert operation.get("security", []) == schemes


def untyped(schema: Any, at: str = "") -> list[str]:
    """Return where a schema leaves the type of a value open."""
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
                for shape in answer.get("content", {}).values():
                    assert untyped(shape["schema"], f"{method} {path} {status}") == []


def open_texts(schema: Any, at: str) -> list[str]:
    """Return where a schema leaves open which characters a text may hold."""
    name = schema.get("$ref", "").removeprefix("#/components/schemas/")
    if name:
        return open_texts(document()["components"]["schemas"][name], f"{at} {name}")
    is_open = schema.get("type") == "string" and not schema.keys() & {"enum", "pattern", "format"}
    inner = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    inner += [schema[key] for key in ("items", "additionalProperties") if schema.get(key)]
    found = [at] if is_open else []
    found += [place for way in inner if way is not True for place in open_texts(way, at)]
    for field, way in schema.get("properties", {}).items():
        found += open_texts(way, f"{at}/{field}")
    return found


def test_a_text_in_a_request_says_which_characters_it_may_hold() -> None:
    found: list[str] = []
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            at = f"{method} {path}"
            for parameter in operation.get("parameters", ()):
                found += open_texts(parameter["schema"], f"{at} ?{parameter['name']}")
            for shape in operation.get("requestBody", {}).get("content", {}).values():
                found += open_texts(shape["schema"], at)
    # A cursor is what an answer gave; the options of a form are JSON.
    assert found == ["get /v1/decisions ?cursor", "post /v1/jobs JobFormIn/options"]


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


def test_a_body_that_may_be_missing_is_not_required() -> None:
    found = {
        operation["operationId"]: operation["requestBody"]["required"]
        for methods in document()["paths"].values()
        for operation in methods.values()
        if "requestBody" in operation
    }
    missing = {name for name, required in found.items() if not required}
    assert missing == {"activatePlan", "simulateStoredPlan", "confirmJob"}


def test_an_answer_without_body_has_no_content() -> None:
    answers = document()["paths"]["/v1/jobs/{job_id}/result"]["get"]["responses"]
    assert "content" not in answers["304"]
    assert "Content-Range" in answers["206"]["headers"]
