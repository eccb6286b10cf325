"""The OpenAPI 3.1 document: the schemas from the wire types, the rest said here, once."""

from __future__ import annotations

from functools import cache
from importlib import metadata

from fraud.decision import OUTCOMES
from fraud.payment.limits import MAX_ID_CHARS
from serve_app.gateway.search import DEFAULT_PAGE, DEFAULT_SPAN_DAYS, MAX_PAGE, MAX_SPAN_DAYS
from serve_app.http.reference.components import components
from serve_app.http.reference.document_parts import (
    ID_PARAMETER,
    LIMITS,
    SECURED,
    Json,
    body,
    headers,
    ok,
    problems,
    query,
)
from serve_app.http.reference.examples import (
    ACTIVE_PLAN,
    DECISION,
    KEPT_DECISION,
    PAGE,
    PROBLEM,
    TRANSACTION,
    VARIANTS,
)
from serve_app.http.reference.label_operations import add_label, add_label_of, add_labels
from serve_app.http.wire import label_schemas, plan_schemas, schemas

MAX_ROWS = 1000
"""Rows of a batch by default."""

_TYPES = (
    schemas.TransactionIn,
    schemas.BatchIn,
    schemas.DecisionOut,
    schemas.ResultsOut,
    schemas.KeptDecisionOut,
    schemas.DecisionsOut,
    label_schemas.LabelIn,
    label_schemas.LabelOfTransactionIn,
    label_schemas.LabelOfDecisionIn,
    label_schemas.LabelBatchIn,
    schemas.LabelOut,
    schemas.LabelResultsOut,
    schemas.VariantsOut,
    plan_schemas.ActivePlanOut,
    schemas.LiveOut,
    schemas.ReadyOut,
    schemas.ProblemOut,
)
_DESCRIPTION = """Decides whether a payment is fraud, by several models over its customer's live
history, in milliseconds, and keeps every decision on record. Every call needs a key in `X-API-Key`
or as `Authorization: Bearer`. Every error is `application/problem+json` with a stable `type`.
Retrying with the same `transaction_id` is safe."""
_TAGS = {
    "decisions": "deciding, and what was decided",
    "labels": "what payments turned out to be: models learn from it",
    "models": "what decides",
    "operation": "for those who run it; no key is needed",
}


@cache
def document(max_rows: int = MAX_ROWS) -> Json:
    """The whole document, JSON-ready. Do not change it: it is shared.

    Args:
        max_rows: rows of a batch at most.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Quorum",
            "version": metadata.version("quorum-fraud"),
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "externalDocs": {"url": "/docs", "description": "a guide with examples"},
        "servers": [{"url": "/", "description": "where this document came from"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": _paths(max_rows),
        "components": {
            "schemas": components(_TYPES, max_rows),
            "securitySchemes": {
                "apiKey": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "X-API-Key",
                    "description": "the key as `quorum keys create` prints it: `qk_<id>_<secret>`",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "the same key as `Authorization: Bearer qk_<id>_<secret>`",
                },
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


def _paths(max_rows: int) -> Json:
    return {
        "/v1/decisions": {"post": _decide(), "get": _list_decisions()},
        "/v1/decisions/batch": {"post": _decide_batch(max_rows)},
        "/v1/decisions/{decision_id}": {"get": _read_decision()},
        "/v1/decisions/{decision_id}/labels": {"post": add_label()},
        "/v1/labels": {"post": add_label_of()},
        "/v1/labels/batch": {"post": add_labels(max_rows)},
        "/v1/plans/active": {"get": _active_plan()},
        "/v1/variants": {"get": _variants()},
        "/v2/health/live": {"get": _live()},
        "/v2/health/ready": {"get": _ready()},
        "/metrics": {"get": _text("metrics", "Figures for Prometheus", "text/plain")},
        "/openapi.json": {"get": _text("openapi", "This document", "application/json")},
        "/docs": {"get": _text("docs", "The guide", "text/html")},
        "/docs/api": {"get": _text("viewer", "This document as a page", "text/html")},
    }


def _decide() -> Json:
    return {
        "operationId": "decide",
        "summary": "Decide on a payment",
        "tags": ["decisions"],
        "security": SECURED,
        "requestBody": body(TRANSACTION, "TransactionIn"),
        "responses": {
            "200": ok("The decision", "DecisionOut", DECISION, LIMITS),
            **problems(400, 401, 408, 413, 415, 422, 429, 500, 503, limited=True),
        },
    }


def _decide_batch(max_rows: int) -> Json:
    wrong_row = {key: value for key, value in PROBLEM.items() if key != "request_id"}
    return {
        "operationId": "decideBatch",
        "summary": f"Decide on up to {max_rows:,} payments",
        "description": "Answers come in the order of the transactions: a decision each, or a "
        "problem. A row that is wrong or over a limit does not stop the others; 429 and 503 mean "
        "that none was decided. Payments are counted in their order: a later one sees what those "
        "before it did to its customer.",
        "tags": ["decisions"],
        "security": SECURED,
        "requestBody": body({"transactions": [TRANSACTION]}, "BatchIn"),
        "responses": {
            "200": ok(
                "An answer for each row", "ResultsOut", {"results": [DECISION, wrong_row]}, LIMITS
            ),
            **problems(400, 401, 408, 413, 415, 422, 429, 500, 503, limited=True),
        },
    }


def _read_decision() -> Json:
    return {
        "operationId": "readDecision",
        "summary": "A decision as it was given",
        "description": "The answer exactly as it was given, with the payment as it was sent and "
        "all labels of the payment, oldest first; `holds` marks the one that counts. Of a process "
        "that was killed right after its answer `stage_ms` may lack `log`, and no more. A decision "
        "that was just given is waited for, up to a second.",
        "tags": ["decisions"],
        "security": SECURED,
        "parameters": [ID_PARAMETER],
        "responses": {
            "200": ok("The decision", "KeptDecisionOut", KEPT_DECISION),
            **problems(401, 404, 500, 503),
        },
    }


def _list_decisions() -> Json:
    text = {"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS}
    moment = {"type": "string", "format": "date-time"}
    outcomes = {"type": "string", "enum": [outcome.value for outcome in OUTCOMES]}
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE}
    return {
        "operationId": "listDecisions",
        "summary": "Look for decisions",
        "description": "Decisions of the key's tenant, newest first, each as `readDecision` gives "
        "it. Parameters narrow the search together. For the next page send the same parameters "
        "with `next_cursor` as `cursor`: decisions that are made meanwhile move nothing. A "
        "decision is found as soon as it is in PostgreSQL, half a second after its answer at most "
        "as a rule.",
        "tags": ["decisions"],
        "security": SECURED,
        "parameters": [
            query("transaction_id", text, "decisions on this payment"),
            query("customer_id", text, "decisions on payments of this customer"),
            query("outcome", outcomes, "decisions of this outcome"),
            query(
                "from",
                moment,
                f"decisions made then or later; default: {DEFAULT_SPAN_DAYS} days before `to`, at "
                f"most {MAX_SPAN_DAYS}",
            ),
            query("to", moment, "decisions made before then; default: now"),
            query("cursor", {"type": "string"}, "`next_cursor` of the page before"),
            query("limit", limit, "decisions of a page at most"),
        ],
        "responses": {
            "200": ok("A page", "DecisionsOut", PAGE),
            **problems(401, 422, 500, 503),
        },
    }


def _active_plan() -> Json:
    return {
        "operationId": "readActivePlan",
        "summary": "The plan that decides now, and where its decisions begin",
        "tags": ["models"],
        "security": SECURED,
        "responses": {
            "200": ok("The plan", "ActivePlanOut", ACTIVE_PLAN),
            **problems(401, 404, 500, 503),
        },
    }


def _variants() -> Json:
    return {
        "operationId": "listVariants",
        "summary": "The model pools and the active plan",
        "tags": ["models"],
        "security": SECURED,
        "responses": {
            "200": ok("The pools", "VariantsOut", VARIANTS),
            **problems(401, 500, 503),
        },
    }


def _live() -> Json:
    return {
        "operationId": "live",
        "summary": "Whether the process answers",
        "tags": ["operation"],
        "responses": {"200": ok("Yes", "LiveOut", {"live": True})},
    }


def _ready() -> Json:
    no = {"ready": False, "error": "no decision can be made now"}
    return {
        "operationId": "ready",
        "summary": "Whether decisions can be made",
        "tags": ["operation"],
        "responses": {
            "200": ok("Yes", "ReadyOut", {"ready": True}),
            "503": ok("No", "ReadyOut", no, ("Retry-After",)),
        },
    }


def _text(operation_id: str, summary: str, media_type: str) -> Json:
    schema = {"type": "object"} if media_type == "application/json" else {"type": "string"}
    return {
        "operationId": operation_id,
        "summary": summary,
        "tags": ["operation"],
        "responses": {
            "200": {
                "description": summary,
                "headers": headers(),
                "content": {media_type: {"schema": schema}},
            }
        },
    }
