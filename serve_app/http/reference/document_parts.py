"""What operations of the OpenAPI document are made of."""

from __future__ import annotations

from typing import Any

from serve_app.http.problems import KINDS, URN
from serve_app.http.reference.examples import PROBLEM

Json = dict[str, Any]

LIMITS = ("RateLimit-Policy", "RateLimit")
SECURED: list[dict[str, list[str]]] = [{"apiKey": []}, {"bearer": []}]
ID_PARAMETER = {
    "name": "decision_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}


def body(example: Json, *names: str) -> Json:
    """A request body of a wire type, or of one of several."""
    refs = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    schema = refs[0] if len(refs) == 1 else {"oneOf": refs}
    content = {"application/json": {"schema": schema, "example": example}}
    return {"required": True, "content": content}


def ok(description: str, name: str, example: Json, more: tuple[str, ...] = ()) -> Json:
    """An answer of a wire type."""
    content = {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": example}
    return {
        "description": description,
        "headers": headers(*more),
        "content": {"application/json": content},
    }


def problems(*statuses: int, limited: bool = False) -> Json:
    """The problems of these statuses."""
    # Who asks is not known yet where there is a 401.
    return {
        str(status): _problem(status, LIMITS if limited and status != 401 else ())
        for status in statuses
    }


def _problem(status: int, more: tuple[str, ...]) -> Json:
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
        "headers": headers(*more, *(["Retry-After"] if status in (429, 503) else [])),
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/ProblemOut"},
                "examples": examples,
            }
        },
    }


def headers(*more: str) -> Json:
    """X-Request-ID and further headers of an answer."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("X-Request-ID", *more)}


def query(name: str, schema: Json, description: str) -> Json:
    """A parameter of the query string."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }
