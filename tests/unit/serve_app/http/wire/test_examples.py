"""Examples are of the types that they show."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from serve_app.http.reference.openapi import ROUTES, document
from serve_app.http.wire import examples, schemas


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
