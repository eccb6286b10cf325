"""The OpenAPI 3.1 document: the schemas from the wire types, the rest said here, once."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Any

import msgspec

from serve_app import schemas
from serve_app.examples import ACTIVE_PLAN, DECISION, LABEL, PROBLEM, TRANSACTION, VARIANTS
from serve_app.problems import KINDS, URN

Json = dict[str, Any]

_TYPES = (
    schemas.TransactionIn,
    schemas.BatchIn,
    schemas.DecisionOut,
    schemas.ResultsOut,
    schemas.LabelIn,
    schemas.LabelOut,
    schemas.VariantsOut,
    schemas.ActivePlanOut,
    schemas.ProblemOut,
)
_DESCRIPTION = """Decides whether a payment is fraud, by several models over its customer's live
history. Every error is `application/problem+json` (RFC 9457) with a stable `type`; a wrong field is
named by a JSON pointer and its value is never repeated. Retrying with the same `transaction_id` is
safe: the payment is counted once by the models, and a retry gets the features of the first attempt.
Each attempt is a decision with an id of its own. Another payment under a known `transaction_id` is
decided as it is, is not counted, and says `transaction_reused`. A 503 carries `Retry-After`.

Each transaction counts as one against the limits of its key's tier: one for the key, one for each
customer of its tenant; no window of time ever holds more. One over a limit gets a 429, which says
in `Retry-After` when it would be decided; answers about decisions say in `RateLimit-Policy` and
`RateLimit` what the limits are and how the key stands."""
_LIMITS = ("RateLimit-Policy", "RateLimit")
_SECURED: list[dict[str, list[str]]] = [{"apiKey": []}, {"bearer": []}]
_ID_PARAMETER = {
    "name": "decision_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}


@cache
def document() -> Json:
    """The whole document, JSON-ready. Do not change it: it is shared."""
    _, components = msgspec.json.schema_components(
        _TYPES, ref_template="#/components/schemas/{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Quorum",
            "version": metadata.version("quorum-fraud"),
            "description": _DESCRIPTION,
        },
        "servers": [{"url": "/"}],
        "paths": _paths(),
        "components": {
            "schemas": components,
            "securitySchemes": {
                "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
                "bearer": {"type": "http", "scheme": "bearer", "description": "an API key"},
            },
            "headers": {
                "X-Request-ID": {
                    "description": "the request's own, or one made for it",
                    "schema": {"type": "string"},
                },
                "RateLimit-Policy": {
                    "description": "the limits of the key's tier: at most `q` transactions in any "
                    "`w` seconds (draft-ietf-httpapi-ratelimit-headers-09)",
                    "schema": {"type": "string"},
                    "example": '"key";q=5000;w=1, "customer";q=6000;w=60',
                },
                "RateLimit": {
                    "description": "how a limit stands: `r` transactions are left, more are back "
                    "in `t` seconds",
                    "schema": {"type": "string"},
                    "example": '"key";r=4987;t=1',
                },
                "Retry-After": {
                    "description": "seconds after which a retry makes sense",
                    "schema": {"type": "integer", "minimum": 1},
                },
            },
        },
    }


def _paths() -> Json:
    return {
        "/v1/decisions": {"post": _decide()},
        "/v1/decisions/batch": {"post": _decide_batch()},
        "/v1/decisions/{decision_id}": {"get": _read_decision()},
        "/v1/decisions/{decision_id}/labels": {"post": _add_label()},
        "/v1/plans/active": {"get": _active_plan()},
        "/v1/variants": {"get": _variants()},
        "/v2/health/live": {"get": _health("live", "Whether the process answers", False)},
        "/v2/health/ready": {"get": _health("ready", "Whether decisions can be made", True)},
        "/metrics": {"get": _text("metrics", "Figures for Prometheus", "text/plain")},
        "/openapi.json": {"get": _text("openapi", "This document", "application/json")},
        "/docs": {"get": _text("docs", "This document as a page", "text/html")},
    }


def _decide() -> Json:
    return {
        "operationId": "decide",
        "summary": "Decide on a payment",
        "tags": ["decisions"],
        "security": _SECURED,
        "requestBody": _body("TransactionIn", TRANSACTION),
        "responses": {
            "200": _ok("The decision", "DecisionOut", DECISION, _LIMITS),
            **_problems(400, 401, 408, 413, 415, 422, 429, 500, 503, limited=True),
        },
    }


def _decide_batch() -> Json:
    wrong_row = {key: value for key, value in PROBLEM.items() if key != "request_id"}
    return {
        "operationId": "decideBatch",
        "summary": "Decide on up to 1,000 payments",
        "description": "Answers come in the order of the transactions: a decision each, or a "
        "problem. A row that is wrong or over a limit does not stop the others; 429 and 503 mean "
        "that none was decided. Payments are counted in their order: a later one sees what those "
        "before it did to its customer.",
        "tags": ["decisions"],
        "security": _SECURED,
        "requestBody": _body("BatchIn", {"transactions": [TRANSACTION]}),
        "responses": {
            "200": _ok(
                "An answer for each row", "ResultsOut", {"results": [DECISION, wrong_row]}, _LIMITS
            ),
            **_problems(400, 401, 408, 413, 415, 422, 429, 500, 503, limited=True),
        },
    }


def _read_decision() -> Json:
    return {
        "operationId": "readDecision",
        "summary": "A decision as it was given",
        "description": "Times by stage are not kept: `stage_ms` is empty.",
        "tags": ["decisions"],
        "security": _SECURED,
        "parameters": [_ID_PARAMETER],
        "responses": {
            "200": _ok("The decision", "DecisionOut", {**DECISION, "stage_ms": {}}),
            **_problems(401, 404, 500, 503),
        },
    }


def _add_label() -> Json:
    return {
        "operationId": "addLabel",
        "summary": "Say what a payment turned out to be",
        "tags": ["decisions"],
        "security": _SECURED,
        "parameters": [_ID_PARAMETER],
        "requestBody": _body("LabelIn", {"is_fraud": True, "source": "chargeback"}),
        "responses": {
            "200": _ok("It was already said", "LabelOut", LABEL),
            "201": _ok("Kept", "LabelOut", LABEL),
            **_problems(400, 401, 404, 408, 409, 413, 415, 422, 500, 503),
        },
    }


def _active_plan() -> Json:
    return {
        "operationId": "readActivePlan",
        "summary": "The plan that decides now, and where its decisions begin",
        "tags": ["models"],
        "security": _SECURED,
        "responses": {
            "200": _ok("The plan", "ActivePlanOut", ACTIVE_PLAN),
            **_problems(401, 404, 500, 503),
        },
    }


def _variants() -> Json:
    return {
        "operationId": "listVariants",
        "summary": "The model pools and the active plan",
        "tags": ["models"],
        "security": _SECURED,
        "responses": {
            "200": _ok("The pools", "VariantsOut", VARIANTS),
            **_problems(401, 500, 503),
        },
    }


def _health(name: str, summary: str, may_fail: bool) -> Json:
    def content(answer: Json) -> Json:
        flag: Json = {"type": "boolean"}
        schema = {"type": "object", "required": [name], "properties": {name: flag}}
        return {"application/json": {"schema": schema, "example": answer}}

    responses: Json = {
        "200": {"description": "Yes", "headers": _headers(), "content": content({name: True})}
    }
    if may_fail:
        answer = {name: False, "error": "no decision can be made now"}
        responses["503"] = {
            "description": "No",
            "headers": _headers("Retry-After"),
            "content": content(answer),
        }
    operation = {"operationId": name, "summary": summary, "tags": ["operation"]}
    return {**operation, "responses": responses}


def _text(operation_id: str, summary: str, media_type: str) -> Json:
    schema = {"type": "object"} if media_type == "application/json" else {"type": "string"}
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": ["operation"],
        "responses": {
            "200": {
                "description": summary,
                "headers": _headers(),
                "content": {media_type: {"schema": schema}},
            }
        },
    }


def _body(name: str, example: Json) -> Json:
    schema = {"$ref": f"#/components/schemas/{name}"}
    content = {"application/json": {"schema": schema, "example": example}}
    return {"required": True, "content": content}


def _ok(description: str, name: str, example: Json, headers: tuple[str, ...] = ()) -> Json:
    content = {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": example}
    return {
        "description": description,
        "headers": _headers(*headers),
        "content": {"application/json": content},
    }


def _problems(*statuses: int, limited: bool = False) -> Json:
    # Who asks is not known yet where there is a 401.
    return {
        str(status): _problem(status, _LIMITS if limited and status != 401 else ())
        for status in statuses
    }


def _problem(status: int, headers: tuple[str, ...]) -> Json:
    kinds = [(slug, title) for slug, (code, title) in KINDS.items() if code == status]
    examples = {
        slug: {"value": {**PROBLEM, "type": URN + slug, "title": title, "status": status}}
        for slug, title in kinds
    }
    if status != 422:
        for example in examples.values():
            example["value"].pop("errors")
            example["value"]["detail"] = "one sentence on what is wrong"
    return {
        "description": "; ".join(title for _, title in kinds),
        "headers": _headers(*headers, *(["Retry-After"] if status in (429, 503) else [])),
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/ProblemOut"},
                "examples": examples,
            }
        },
    }


def _headers(*more: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *more)}
