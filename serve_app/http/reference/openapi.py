"""The OpenAPI 3.1 document: operations from the declared routes, schemas from the wire types."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from typing import Final

from serve_app.http.job_routes import JOB_ROUTES
from serve_app.http.problems import KINDS, URN
from serve_app.http.reference.components import components
from serve_app.http.reference.routes import reference_routes
from serve_app.http.route import Answer, Json, Route
from serve_app.http.routes import ROUTES as API_ROUTES
from serve_app.http.wire.examples import PROBLEM
from serve_app.http.wire.schemas import ProblemOut

MAX_ROWS = 1000
"""Rows of a batch by default."""

_DESCRIPTION = """Decides in milliseconds whether a payment is fraud, using several models and the
customer's live history, and keeps every decision on record. Every call needs a key, as `X-API-Key`
or as `Authorization: Bearer`, with the scope that it names. Every error is
`application/problem+json` with a stable `type`. Retrying with the same `transaction_id` is safe."""
_TAGS = {
    "decisions": "make decisions, read and search them",
    "labels": "report which payments were fraud: models learn from it",
    "models": "the models that decide",
    "jobs": "score files that nobody labelled",
    "experiments": "who is better, once labels are known",
    "operation": "for operators; no key is needed",
}
_SECURITY = {
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
}
_HEADERS = {
    "X-Request-ID": {
        "description": "the id of the request: as it was sent, or a generated one",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {
        "description": "the limits of the key's tier: at most `q` transactions in any `w` seconds "
        "(draft-ietf-httpapi-ratelimit-headers-09)",
        "schema": {"type": "string"},
        "example": '"key";q=5000;w=1, "customer";q=6000;w=60',
    },
    "RateLimit": {
        "description": "the state of a limit: `r` transactions are left, more are back in `t` "
        "seconds",
        "schema": {"type": "string"},
        "example": '"key";r=4987;t=1',
    },
    "Location": {
        "description": "path of what was made",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Content-Disposition": {
        "description": "`attachment` with a file name",
        "schema": {"type": "string"},
    },
    "Content-Range": {
        "description": "which bytes of the file these are, and of how many",
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "changes with the file",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "seconds after which a retry makes sense",
        "schema": {"type": "integer", "minimum": 1},
    },
}


@cache
def document(max_rows: int = MAX_ROWS) -> Json:
    """Return the whole document, of all applications, JSON-ready. Do not change it: it is shared.

    Args:
        max_rows: most rows of a batch.
    """
    routes = (*ROUTES, *JOB_ROUTES)
    listed = sorted((r for r in routes if r.is_listed), key=lambda r: list(_TAGS).index(r.tag))
    types = [
        kind for r in listed for kind in (*r.body, r.form, *(a.type for a in r.answers.values()))
    ]
    paths: Json = {}
    for route in listed:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, max_rows)
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
        "paths": paths,
        "components": {
            "schemas": components([ProblemOut, *(kind for kind in types if kind)], max_rows),
            "securitySchemes": _SECURITY,
            "headers": _HEADERS,
        },
    }


ROUTES: Final = (*API_ROUTES, *reference_routes(document))
"""Every route that the application `decisions` serves."""


def _operation(route: Route, max_rows: int) -> Json:
    operation: Json = {
        "operationId": route.operation_id,
        "summary": route.summary.format(max_rows=f"{max_rows:,}"),
    }
    if description := _description(route):
        operation["description"] = description
    operation["tags"] = [route.tag]
    if route.scope is not None:
        operation["security"] = [{name: [route.scope]} for name in _SECURITY]
    if route.parameters:
        operation["parameters"] = [
            _parameter(name, schema, route) for name, schema in route.parameters.items()
        ]
    if route.body:
        refs = [_ref(kind) for kind in route.body]
        schema = refs[0] if len(refs) == 1 else {"oneOf": refs}
        content = {"application/json": {"schema": schema, "example": route.body_example}}
        if route.form is not None:
            content = {"multipart/form-data": {"schema": _ref(route.form)}, **content}
        operation["requestBody"] = {"required": route.needs_body, "content": content}
    answers = {str(status): _answer(answer) for status, answer in route.answers.items()}
    problems = {str(status): _problem(status, route) for status in route.problem_statuses}
    operation["responses"] = dict(sorted((problems | answers).items()))
    return operation


def _description(route: Route) -> str:
    """Return the prose of a route and the scope that it needs."""
    needs = "" if route.scope is None else f"Needs the scope `{route.scope}`."
    return " ".join(part for part in (route.description, needs) if part)


def _parameter(name: str, schema: Json, route: Route) -> Json:
    is_in_path = f"{{{name}}}" in route.path
    described = dict(schema)
    description = described.pop("description", None)
    return {
        "name": name,
        "in": "path" if is_in_path else "query",
        "required": is_in_path,
        **({} if description is None else {"description": description}),
        "schema": described,
    }


def _answer(answer: Answer) -> Json:
    if answer.type is not None:
        content = {"schema": _ref(answer.type), "example": answer.example}
    elif not answer.media_type:
        return {"description": answer.description, "headers": _headers(*answer.headers)}
    else:
        is_json = answer.media_type == "application/json"
        content = {"schema": {"type": "object" if is_json else "string"}}
    return {
        "description": answer.description,
        "headers": _headers(*answer.headers),
        "content": {
            answer.media_type: content,
            **{media_type: {"schema": {"type": "string"}} for media_type in answer.also},
        },
    }


def _problem(status: int, route: Route) -> Json:
    kinds = [(slug, title) for slug, (code, title) in KINDS.items() if code == status]
    examples = {
        slug: {"value": {**PROBLEM, "type": URN + slug, "title": title, "status": status}}
        for slug, title in kinds
    }
    if status != 422:
        for example in examples.values():
            example["value"].pop("errors")
            example["value"]["detail"] = "One sentence on what is wrong"
    # With a 401 the sender, and so its limits, are unknown.
    limits = ("RateLimit-Policy", "RateLimit") if route.is_limited and status != 401 else ()
    retry = ("Retry-After",) if status in (429, 503) else ()
    content = {"schema": _ref(ProblemOut), "examples": examples}
    return {
        "description": "; ".join(title for _, title in kinds),
        "headers": _headers(*limits, *retry),
        "content": {"application/problem+json": content},
    }


def _headers(*more: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *more)}


def _ref(kind: type) -> Json:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
