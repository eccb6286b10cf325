"""Examples are of the types that they show."""

from __future__ import annotations

from typing import Any

import pytest

from serve_app.http.reference.openapi import ROUTES
from serve_app.http.wire import examples, schemas
from tests.contracts.examples import check_example, examples_of


@pytest.mark.parametrize(
    ("example", "kind"),
    [
        *examples_of(ROUTES),
        (examples.PROBLEM, schemas.ProblemOut),
    ],
)
def test_examples_are_what_they_show(example: Any, kind: type) -> None:
    check_example(example, kind)
