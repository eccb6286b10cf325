"""The reference: complete, true to the wire types, readable without a network."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from features.degraded import WITHOUT_HISTORY
from fraud.combine.combine import RULES_ONLY
from fraud.decision import OUTCOMES, RISK_LEVELS
from fraud.reasons.catalogue import CODES
from serve_app.gateway.gateway import GatewaySettings
from serve_app.http.problems import KINDS
from serve_app.http.reference.openapi import ROUTES, document
from serve_app.http.rest import build_rest
from serve_app.http.services import RequestLimits
from serve_app.http.wire import examples, meanings, schemas
from settings.settings import Settings
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
    unlisted = {route.path for route in ROUTES if not route.is_listed}
    assert set(document()["paths"]) == served - unlisted
    written = [(m, p) for p, methods in document()["paths"].items() for m in methods]
    assert len(written) == len([route for route in ROUTES if route.is_listed])


def test_every_kind_of_problem_is_in_it() -> None:
    text = msgspec.json.encode(document()).decode()
    for slug in set(KINDS) - {"method-not-allowed"}:
        assert f"urn:quorum:problem:{slug}" in text


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        *((route.body_example, route.body[0]) for route in ROUTES if route.body),
        *(
            (answer.example, answer.type)
            for route in ROUTES
            for answer in route.answers.values()
            if answer.type is not None
        ),
        (examples.PROBLEM, schemas.ProblemOut),
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


def test_limits_default_to_the_settings() -> None:
    assert RequestLimits.of(Settings()) == RequestLimits()
    assert GatewaySettings.of(Settings()) == GatewaySettings()
