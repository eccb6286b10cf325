"""Examples in the API reference against the types and schemas that they show."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jsonschema
import msgspec

from serve_app.http.reference.openapi import document
from serve_app.http.route import Route


def examples_of(routes: Iterable[Route]) -> list[tuple[Any, type]]:
    """Return the examples of bodies and answers of some routes, each with its wire type."""
    found: list[tuple[Any, type]] = []
    for route in routes:
        if route.body:
            found.append((route.body_example, route.body[0]))
        answers = route.answers.values()
        found += [(one.example, one.type) for one in answers if one.type is not None]
    return found


def check_example(example: Any, kind: type) -> None:
    """Assert that an example is of a wire type, and valid by the schema of that type."""
    msgspec.json.decode(msgspec.json.encode(example), type=kind)
    schema = {"$ref": f"#/components/schemas/{kind.__name__}", **document()}
    jsonschema.Draft202012Validator(schema).validate(example)
